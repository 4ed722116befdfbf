import { setTimeout as later } from "node:timers";
import { toError } from "../../kernel/clock.ts";
import type { Step } from "./scenario.ts";

export type Act = (action: string, params: unknown) => Promise<object>;

/** Does the steps that have no time, one after another. Throws a `RangeError` that names the step which was not possible. */
export async function playStart(steps: readonly Step[], act: Act): Promise<readonly object[]> {
  const results: object[] = [];
  for (const [index, { action, params, afterMs }] of steps.entries()) {
    if (afterMs !== null) continue;
    try {
      results.push({ action, ...(await act(action, params)) });
    } catch (error) {
      throw new RangeError(`steps.${index} (${action}): ${toError(error).message}`, { cause: error });
    }
  }
  return results;
}

/** Does the others when their time has come, each by itself; `told` hears of those that were not possible. The stack ends it. */
export function playLater(
  steps: readonly Step[],
  act: Act,
  told: (line: string) => void,
  stack: DisposableStack | AsyncDisposableStack,
): void {
  for (const { action, params, afterMs } of steps) {
    if (afterMs === null) continue;
    const timer = later(() => {
      act(action, params).catch((error: unknown) => told(`${action}: ${toError(error).message}`));
    }, afterMs);
    stack.defer(() => clearTimeout(timer));
  }
}

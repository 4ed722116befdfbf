import { deadline, sleep } from "../kernel/clock.ts";
import { callControl } from "./control-request.ts";

const TIMES = { everyMs: 5000, answerMs: 30_000 };

/**
 * Resolves when the edge has left two calls in a row without an answer, half a minute each: it is there but does nothing any
 * more. One alone may be ours, when it was this process that was held up. Rejects when the signal aborts.
 */
export async function waitForSilence(
  socketPath: string,
  signal: AbortSignal,
  { everyMs, answerMs } = TIMES,
): Promise<void> {
  for (let unanswered = 0; unanswered < 2;) {
    await sleep(everyMs, signal);
    const limit = deadline(answerMs, signal);
    const answered = await callControl(socketPath, "GET /status", null, limit).then(
      () => true,
      () => !limit.aborted,
    );
    unanswered = answered ? 0 : unanswered + 1;
  }
}

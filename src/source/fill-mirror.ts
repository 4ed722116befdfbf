import { secretsOfRemote } from "./way-settings.ts";
import { sleep } from "../kernel/clock.ts";
import { redactor } from "../kernel/redact.ts";
import { RunError } from "../kernel/run.ts";
import { isDamagedStore } from "./classify.ts";
import { explain } from "./explain.ts";
import type { Mirror } from "./mirror.ts";
import { mirrorName, type SourceParts } from "./parts.ts";
import { checkRemote, type CheckedRemote } from "./remote.ts";
import type { Remote } from "./source.ts";

/** Deployments interrupt a fill; after this many the next deployment's fill tries again. */
const TRIES = 5;
const PAUSE_MS = 1_000;

/** `Source.fillMirror`. A deployment that wants the mirror interrupts it; then it begins again when the mirror is free. */
export async function fillMirror(parts: SourceParts, from: Remote, signal: AbortSignal): Promise<void> {
  const redact = redactor(secretsOfRemote(from));
  const remote = await checkRemote(from, parts.caFolder);
  const mirror = parts.mirrorOf(from.key);
  try {
    for (let attempt = 1; attempt <= TRIES; attempt++) {
      if (await fillOnce(parts, mirror, mirrorName(from.key), remote, signal)) return;
      await sleep(PAUSE_MS, signal);
    }
    parts.log?.info({ mirror: from.key }, "The mirror stays as it is for now: deployments came first");
  } catch (error) {
    if (error instanceof RunError && isDamagedStore(error.stderr) && !signal.aborted) {
      parts.log?.warn(
        { mirror: from.key },
        "A mirror is damaged and thrown away: the next checkout begins anew",
      );
      await mirror.discard();
      return;
    }
    throw await explain(error, remote, redact, signal);
  }
}

/** False when a deployment, of this process or of another, needed the mirror. */
async function fillOnce(
  parts: SourceParts,
  mirror: Mirror,
  name: string,
  remote: CheckedRemote,
  signal: AbortSignal,
): Promise<boolean> {
  return parts.turns(name, "fill", signal, async (interrupted) => {
    const both = AbortSignal.any([signal, interrupted]);
    try {
      await mirror.complete({ remote, guard: { work: "fill" }, signal: both, onLine: () => {} });
      return true;
    } catch (error) {
      if (signal.aborted || !(error instanceof RunError)) throw error;
      if (interrupted.aborted || error.failure === "signal") return false;
      throw error;
    }
  });
}

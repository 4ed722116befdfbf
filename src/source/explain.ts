import { Fault } from "../faults/fault.ts";
import { RunError } from "../kernel/run.ts";
import { classify, stopped } from "./classify.ts";
import { lookAgain } from "./look-again.ts";
import type { CheckedRemote } from "./remote.ts";

/** Anything thrown on the way as the Fault a person can use. */
export async function explain(
  error: unknown,
  remote: CheckedRemote,
  redact: (text: string) => string,
  signal: AbortSignal,
): Promise<Fault> {
  if (error instanceof Fault) return error;
  if (error instanceof RunError) {
    const fault = classify(error, redact(error.stderr), remote.url.host, signal.reason);
    // by another way than the one that failed it would only find other trouble
    return remote.files.length > 0 ? fault : lookAgain(fault, remote.url, remote.ca);
  }
  if (signal.aborted) return stopped(signal.reason, { host: remote.url.host });
  return Fault.of("GIT_FAILED", "", {
    cause: error,
    message: error instanceof Error ? redact(error.message) : "git could not be run",
  });
}

import { Fault } from "../faults/fault.ts";

const WORDS = new Map([
  ["EADDRINUSE", "another program listens at this address"],
  ["EACCES", "this user may not use this port; those below 1024 are for root"],
  ["EADDRNOTAVAIL", "this machine does not have this address"],
  ["ENOTFOUND", "there is no such host"],
]);

/** Why nothing could listen at `host:port`, so that a person can act on it. What is no such error comes back as it is. */
export function explainListening(error: unknown, address: string): unknown {
  const code = error instanceof Error && "code" in error ? String(error.code) : "";
  const words = WORDS.get(code);
  if (words === undefined) return error;
  return Fault.of("RUNTIME_UNAVAILABLE", "", {
    cause: error,
    message: `Nothing can be started at ${address}: ${words}`,
    evidence: { address, networkError: code },
  });
}

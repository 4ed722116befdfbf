import { preconditionFailed } from "./reply.ts";
import type { Call } from "./route.ts";

/** GitLab's `destroy_conditionally!`: what has changed since the client looked stays (412). A date that makes no sense is none. */
export function checkUnmodified(call: Call, changedAt: string): void {
  const seen = Date.parse(call.header("If-Unmodified-Since") ?? "");
  if (!Number.isNaN(seen) && Date.parse(changedAt) > seen) throw preconditionFailed();
}

import { explain } from "../faults/catalogue.ts";
import type { FaultCode } from "../faults/codes.ts";
import type { Fault } from "../faults/fault.ts";
import type { Instance } from "../faults/places.ts";
import { polling } from "../faults/project-entries.ts";

/** GitLab's "no" to a webhook, or to calling it: another try would end the same way until a person has done something. */
const REFUSALS: ReadonlySet<FaultCode> = new Set([
  "HOOK_URL_REFUSED",
  "HOOK_UNREACHABLE",
  "HOOK_LIMIT_REACHED",
  "HOOK_DISABLED",
  "HOOKS_SILENCED",
  "INSUFFICIENT_ROLE",
  "PROJECT_ARCHIVED",
]);

/** Why the project is polled, in GitLab's words, and what a person can do in their GitLab of their version. null: no refusal, time may heal it. */
export function describeRefusal(fault: Fault, instance: Instance): string | null {
  if (!REFUSALS.has(fault.code)) return null;
  const { title, fix } = explain(fault, instance);
  const { words } = fault.evidence;
  const quoted = words === undefined || words === "" ? "" : ` (GitLab says: ${words.slice(0, 300)})`;
  return [`${title}${quoted}.`, ...new Set([...fix, polling])].join(" ");
}

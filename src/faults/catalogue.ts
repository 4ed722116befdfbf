import { creatingEntries } from "./creating-entries.ts";
import { deployingEntries } from "./deploying-entries.ts";
import type { Entries, Entry } from "./entry.ts";
import type { FaultCode } from "./codes.ts";
import type { Evidence, Fault } from "./fault.ts";
import { gitEntries } from "./git-entries.ts";
import { ownEntries } from "./own-entries.ts";
import { placesOf, type Instance } from "./places.ts";
import { projectEntries } from "./project-entries.ts";
import { reachingEntries } from "./reaching-entries.ts";
import { tokenEntries } from "./token-entries.ts";

/** Every code and reason, by area, in the order of `docs/errors.md`. */
export const AREAS = [
  ["Reaching GitLab", reachingEntries],
  ["The token", tokenEntries],
  ["Projects, webhooks and deploy keys", projectEntries],
  ["Creating projects", creatingEntries],
  ["git", gitEntries],
  ["Deploying", deployingEntries],
  ["Fairlead itself", ownEntries],
] as const;

const CATALOGUE: Entries<FaultCode> = {
  ...reachingEntries,
  ...tokenEntries,
  ...projectEntries,
  ...creatingEntries,
  ...gitEntries,
  ...deployingEntries,
  ...ownEntries,
};

export interface Explanation {
  readonly title: string;
  readonly cause: string;
  readonly fix: readonly string[];
}

type Explained = Pick<Fault, "code" | "reason" | "evidence"> & { readonly message?: string };

/**
 * A fault in plain words: what it is, why, and what to do, with links into the given GitLab or the one of its evidence. The fault's own message, where somebody wrote one
 * for this very case, or else the evidence's note, leads the cause; that of an `INTERNAL` fault never does, because nobody wrote it for people.
 */
export function explain(fault: Explained, instance: Instance = {}): Explanation {
  const entry = findEntry(fault.code, fault.reason);
  const known = { evidence: fault.evidence, at: placesOf({ ...toInstance(fault.evidence), ...instance }) };
  const cause = typeof entry.cause === "string" ? entry.cause : entry.cause(known);
  const own = ownWords(fault, entry.title) ?? toSentence(fault.evidence.note ?? "");
  return {
    title: entry.title,
    cause: own === null || cause.startsWith(own) ? cause : `${own}${own.includes("\n") ? "\n" : " "}${cause}`,
    fix: entry.fix(known),
  };
}

/** Faults of the GitLab client say which GitLab they are about: so a link is right wherever the fault ends up. */
function toInstance(evidence: Evidence): Instance {
  const { instance, gitlabVersion, link } = evidence;
  return {
    ...(isLink(instance) ? { baseUrl: instance } : {}),
    ...(isLink(link) ? { projectUrl: link } : {}),
    ...(typeof gitlabVersion === "string" ? { version: gitlabVersion } : {}),
  };
}

function isLink(value: string | number | undefined): value is string {
  return typeof value === "string" && /^https?:\/\/[^\s]+$/.test(value);
}

function findEntry(code: FaultCode, reason: string): Entry {
  const reasons = new Map<string, Entry>(Object.entries(CATALOGUE[code]));
  return reasons.get(reason) ?? [...reasons.values()][0] ?? CATALOGUE.INTERNAL[""];
}

function ownWords(fault: Explained, title: string): string | null {
  const { code, reason, message = "" } = fault;
  if (code === "INTERNAL" || [title, code, `${code} (${reason})`].includes(message)) return null;
  return toSentence(message);
}

function toSentence(message: string): string | null {
  if (message === "") return null;
  const sentence = message.charAt(0).toUpperCase() + message.slice(1);
  return /[.!?:”]$/.test(sentence) ? sentence : `${sentence}.`;
}

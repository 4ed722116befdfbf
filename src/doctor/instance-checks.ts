import type { InstanceInfo } from "../gitlab/gitlab.ts";
import type { Fault } from "../faults/fault.ts";
import { need, type CheckDefinition, type Outcome, type Visit } from "./visit.ts";

/** What GitLab says of itself. */
export const INSTANCE_CHECKS: readonly CheckDefinition[] = [
  { id: "gitlab.version", about: "GitLab's version", run: checkVersion },
  { id: "time.skew", about: "The clocks", run: checkSkew },
];

export const LIMIT_CHECKS: readonly CheckDefinition[] = [
  { id: "api.limits", about: "The rate limit", run: checkLimits },
];

/** The oldest GitLab whose behaviour is known. */
const OLDEST = [10, 5] as const;

/** What a GitLab before these versions lacks, and what serves instead. */
const MISSING: readonly (readonly [since: readonly [number, number], words: string])[] = [
  [[15, 5], "what a token may do is found out by probes"],
  [[16, 11], "webhooks cannot be tested from here"],
  [[17, 3], "GitLab's own log of webhook calls cannot be read"],
  [[19, 0], "webhooks carry a secret, not a signature"],
];

/** A token that may not read the version, or is no good at all, is told by the checks that come. */
async function checkVersion(visit: Visit): Promise<Outcome> {
  const told = await need(visit.learnt.asked, "questions").instance;
  if (!told.fault) visit.learnt.instance = told.value;
  else if (!isAboutToken(told.fault)) throw told.fault;
  const { instance } = visit.learnt;
  return instance?.version
    ? describeVersion(instance.version, instance.edition)
    : { state: "unknown", title: "The token may not read GitLab's version" };
}

function describeVersion(version: string, edition: InstanceInfo["edition"]): Outcome {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  const isSince = ([since, sinceMinor]: readonly [number, number]): boolean =>
    major > since || (major === since && minor >= sinceMinor);
  const title = `GitLab ${version} (${edition.toUpperCase()})`;
  if (!isSince(OLDEST)) {
    const fix = "Upgrade GitLab to 10.5 or later.";
    return { state: "warn", title: `${title} is older than what Fairlead knows`, fix };
  }
  const lacks = MISSING.filter(([since]) => !isSince(since)).map(([, words]) => words);
  return lacks.length === 0 ? { state: "ok", title } : { state: "ok", title, evidence: lacks.join("; ") };
}

function isAboutToken(fault: Fault): boolean {
  return ["AUTH_FAILED", "ACCOUNT_UNUSABLE", "INSUFFICIENT_SCOPES", "INSUFFICIENT_ROLE"].includes(fault.code);
}

const SKEW_WARN_S = 60;
/** GitLab's signatures are refused when they are older (Standard Webhooks). */
const SKEW_BREAKS_S = 300;

function checkSkew(visit: Visit): Outcome {
  const seconds = visit.learnt.instance?.skewSeconds ?? null;
  if (seconds === null) return { state: "unknown", title: "GitLab's clock was not seen" };
  const distance = Math.abs(seconds);
  if (distance <= SKEW_WARN_S) return { state: "ok", title: "The clocks agree" };
  const title = `GitLab's clock is ${distance} s ${seconds > 0 ? "ahead of" : "behind"} this machine's`;
  const evidence =
    distance > SKEW_BREAKS_S
      ? "from five minutes on signed webhooks are refused as too old, and tokens expire at another moment"
      : "tokens expire at another moment than they seem to";
  return {
    state: "warn",
    title,
    evidence,
    fix: "Let both machines set their clocks by NTP: timedatectl set-ntp true.",
  };
}

function checkLimits(visit: Visit): Outcome {
  const { instance } = visit.learnt;
  if (instance === null) return { state: "unknown", title: "GitLab's rate limit was not seen" };
  const limit = instance.rateLimit ?? null;
  if (limit === null) return { state: "ok", title: "GitLab announces no rate limit" };
  const evidence = `${limit.remaining} of ${limit.limit} requests left`;
  if (limit.remaining >= limit.limit / 10)
    return { state: "ok", title: "The rate limit is far away", evidence };
  return {
    state: "warn",
    title: "GitLab's rate limit is nearly used up",
    evidence,
    fix: "Something else uses this user's share of requests: give Fairlead a token of a user of its own.",
  };
}

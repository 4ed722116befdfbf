import { explain } from "../faults/catalogue.ts";
import { toFault, Fault } from "../faults/fault.ts";
import { deadline } from "../kernel/clock.ts";
import type { Check } from "./diagnosis.ts";
import type { CheckDefinition, Outcome, Step, Visit } from "./visit.ts";

const CHECK_MS = 10_000;

export interface Ran {
  readonly checks: readonly Check[];
  /** Of the first broken layer. */
  readonly fault: Fault | null;
}

/**
 * Runs the steps in their order, each check for at most ten seconds, up to the first step in which one fails: what comes later would only fail
 * for the same cause. Throws `CANCELLED` when the signal aborts.
 */
export async function runChecks<V extends Visit>(
  steps: readonly Step<V>[],
  visit: V,
  signal: AbortSignal | undefined,
): Promise<Ran> {
  const checks: Check[] = [];
  let fault: Fault | null = null;
  for (const step of steps) {
    const definitions = "id" in step ? [step] : step;
    if (signal?.aborted) throw Fault.of("CANCELLED", "", { cause: signal.reason });
    if (fault) {
      checks.push(...definitions.map(notReached));
      continue;
    }
    const ran = await Promise.all(definitions.map((definition) => runCheck(definition, visit, signal)));
    checks.push(...ran.map(({ check }) => check));
    fault = ran.find((one) => one.fault !== null)?.fault ?? null;
  }
  return { checks, fault };
}

async function runCheck<V extends Visit>(
  definition: CheckDefinition<V>,
  visit: V,
  signal: AbortSignal | undefined,
): Promise<{ readonly check: Check; readonly fault: Fault | null }> {
  const started = performance.now();
  const outcome = await attempt(definition, visit, signal);
  const ms = Math.round(performance.now() - started);
  if (!(outcome instanceof Fault)) return { check: toCheck(definition, outcome, ms), fault: null };
  return { check: failed(definition, outcome, visit, ms), fault: outcome };
}

async function attempt<V extends Visit>(
  definition: CheckDefinition<V>,
  visit: V,
  signal: AbortSignal | undefined,
): Promise<Outcome | Fault> {
  const postponed = visit.postponed.get(definition.id);
  if (postponed) return postponed;
  try {
    return await definition.run(visit, deadline(CHECK_MS, signal));
  } catch (thrown) {
    if (signal?.aborted) throw Fault.of("CANCELLED", "", { cause: signal.reason });
    return locate(toFault(thrown), visit);
  }
}

/** Which project it is about: the steps of the fix then lead into it. */
function locate(fault: Fault, { here }: Visit): Fault {
  if (!here?.project) return fault;
  return fault.withEvidence({ project: here.project.path, link: here.project.webUrl });
}

type Named = Pick<CheckDefinition, "id" | "about">;

function toCheck(definition: Named, outcome: Outcome, ms: number): Check {
  return {
    id: definition.id,
    state: outcome.state,
    title: outcome.title,
    evidence: outcome.evidence ?? null,
    evidenceSource: outcome.source ?? (outcome.evidence === undefined ? null : "live"),
    fix: outcome.fix ?? null,
    ms,
  };
}

function failed(definition: Named, fault: Fault, visit: Visit, ms: number): Check {
  const { title, fix } = explain(fault, toInstance(visit));
  const evidence = describeEvidence(fault);
  return {
    id: definition.id,
    state: "fail",
    title,
    evidence: evidence === "" ? null : evidence,
    evidenceSource: fault.code === "INVALID_URL" ? "local" : "live",
    fix: fix.join("\n"),
    ms,
  };
}

export function notReached(definition: Named): Check {
  return {
    id: definition.id,
    state: "skip",
    title: `${definition.about}: not reached`,
    evidence: null,
    evidenceSource: null,
    fix: null,
    ms: 0,
  };
}

/** For links into this GitLab, for its version. */
export function toInstance(visit: Visit): { baseUrl?: string; version?: string | null } {
  const { base, instance } = visit.learnt;
  return { ...(base && { baseUrl: base.baseUrl }), ...(instance && { version: instance.version }) };
}

function describeEvidence({ evidence }: Fault): string {
  const parts = [
    evidence.note ?? "",
    evidence.words === undefined ? "" : `“${evidence.words}”`,
    evidence.status === undefined ? "" : `status ${evidence.status}`,
    evidence["from"] === undefined ? "" : `${evidence["from"]} → ${evidence["to"] ?? "?"}`,
    evidence["networkError"] === undefined ? "" : String(evidence["networkError"]),
    evidence.requestId === undefined ? "" : `request id ${evidence.requestId}`,
  ];
  return parts.filter((part) => part !== "").join(", ");
}

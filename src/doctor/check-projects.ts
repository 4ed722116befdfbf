import type { Fault } from "../faults/fault.ts";
import type { Check } from "./diagnosis.ts";
import { BINARY_CHECK, READ_CHECK, SSH_CHECK } from "./git-checks.ts";
import { ADDRESS_CHECK, CALL_CHECKS, PRESENT_CHECK } from "./hook-checks.ts";
import { ROLE_CHECK, VISIBLE_CHECK } from "./project-checks.ts";
import { notReached, runChecks, type Ran } from "./run-checks.ts";
import type { ProjectTarget, ProjectVisit, Step, Visit } from "./visit.ts";

/** What does not depend on GitLab. */
const LOCAL_STEPS: readonly Step[] = [[BINARY_CHECK, ADDRESS_CHECK]];

const PROJECT_STEPS: readonly Step<ProjectVisit>[] = [
  VISIBLE_CHECK,
  [ROLE_CHECK, READ_CHECK],
  PRESENT_CHECK,
  [...CALL_CHECKS, SSH_CHECK],
];

const ALL = [...LOCAL_STEPS.flat(), ...PROJECT_STEPS.flat()];

/** Looks at the projects, all at once (the client sends at most eight requests at a time), and tells each check once for all of them. */
export async function checkProjects(
  visit: Visit,
  targets: readonly ProjectTarget[],
  signal: AbortSignal | undefined,
): Promise<Ran> {
  if (targets.length === 0) return { checks: [], fault: null };
  const local = await runChecks(LOCAL_STEPS, visit, signal);
  const ran = await Promise.all(
    targets.map(async (target) => {
      const own: ProjectVisit = {
        ...visit,
        postponed: new Map(),
        target,
        here: { project: null, hooks: null, ours: null },
      };
      const result = await runChecks(PROJECT_STEPS, own, signal);
      return { ...result, name: own.here.project?.path ?? String(target.project) };
    }),
  );
  const ids = PROJECT_STEPS.flat().map(({ id }) => id);
  const merged = ids.flatMap((id) => mergeOne(id, ran) ?? []);
  return { checks: [...local.checks, ...merged], fault: firstFault([...ran, local]) };
}

/** As `checkProjects` when the connection itself is broken. */
export function projectsNotReached(targets: readonly ProjectTarget[]): readonly Check[] {
  return targets.length === 0 ? [] : ALL.map(notReached);
}

function firstFault(results: readonly Ran[]): Fault | null {
  return results.find(({ fault }) => fault !== null)?.fault ?? null;
}

type Named = Ran & { readonly name: string };

const RANK: Readonly<Record<Check["state"], number>> = { fail: 0, warn: 1, unknown: 2, ok: 3, skip: 4 };
const SHOWN = 5;

/** The worst of all projects, with the names of those it is true of. One that was not reached is told by what kept it. */
function mergeOne(id: string, ran: readonly Named[]): Check | null {
  const found = ran.flatMap(({ name, checks }) => {
    const check = checks.find((one) => one.id === id);
    return check ? [{ name, check }] : [];
  });
  const [worst] = found.toSorted((one, other) => RANK[one.check.state] - RANK[other.check.state]);
  if (!worst || found.length === 1) return worst?.check ?? null;
  const { check } = worst;
  const alike = found.filter((one) => one.check.state === check.state);
  const ms = Math.max(...found.map((one) => one.check.ms));
  const rest = alike.length === 1 ? "" : ` (and ${alike.length - 1} more of ${found.length} projects)`;
  if (check.state === "ok" || check.state === "skip") {
    return { ...check, title: `${check.title}${rest}`, ms };
  }
  const evidence = alike
    .slice(0, SHOWN)
    .map((one) => `${one.name}: ${one.check.evidence ?? one.check.title}`)
    .join("\n");
  return { ...check, title: `${check.title}${rest}`, evidence, ms };
}

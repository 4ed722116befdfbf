import type { Connections } from "../connections/connections.ts";
import { Fault } from "../faults/fault.ts";
import { deadline } from "../kernel/clock.ts";
import type { Db } from "../store/store.ts";
import { listCandidates, matchHead } from "./decide.ts";
import type { DryRun } from "./pushes.ts";

const CALL_MS = 15_000;

/** What a push to `ref` would do for one app at this moment, decided by the same code. Changes nothing. Throws `NOT_FOUND` and GitLab's Faults. */
export async function dryRun(db: Db, connections: Connections, app: string, ref: string): Promise<DryRun> {
  const linked = await db
    .selectFrom("app")
    .innerJoin("linked_project", "linked_project.id", "app.linked_project_id")
    .select(["app.name", "linked_project.id", "linked_project.connection_id", "linked_project.project_id"])
    .where((eb) => eb.or([eb("app.id", "=", app), eb("app.name", "=", app)]))
    .executeTakeFirst();
  if (!linked) throw Fault.of("NOT_FOUND", "", { message: `There is no app ${app}` });
  const branch = ref.replace(/^refs\/heads\//, "");
  const { gitlab } = await connections.open(linked.connection_id);
  const head =
    branch.startsWith("refs/") || branch === ""
      ? null
      : await gitlab.findBranch(linked.project_id, branch, { signal: deadline(CALL_MS) });
  const candidates = (await listCandidates(db, linked.id)).filter(
    (candidate) => candidate.app === linked.name,
  );
  const outcomes = matchHead(candidates, { linkedProjectId: linked.id, branch, head, skipRequested: false });
  return {
    ref: branch,
    commit: head?.commit.sha ?? null,
    outcomes: outcomes.map(({ label, deploys, reason }) => ({ environment: label, deploys, reason })),
  };
}

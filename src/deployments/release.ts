import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { sql } from "kysely";
import { z } from "zod";
import { Fault } from "../faults/fault.ts";
import { newId } from "../kernel/ids.ts";
import type { Replica, StartCommand } from "../runtimes/runtime.ts";
import type { Store } from "../store/store.ts";
import { findOutput, type BuildPlan } from "../templates/detect.ts";
import { advance, overtaken, step } from "./advance.ts";
import type { Tree } from "./checkout.ts";
import type { Run } from "./context.ts";
import { makeRelease } from "./release-files.ts";
import { pathsOf } from "./target.ts";
import { settleAs, type Workspace } from "./workspace.ts";

/** A built artifact with what is needed to start it, now or after a rollback. */
export interface Release {
  readonly id: string;
  readonly directory: string;
  readonly command: StartCommand;
  readonly healthPath: string | null;
  /** The fresh workspace that became this release. */
  readonly movedFrom: string | null;
}

/** Copies what was built out of the workspace, so that the next build cannot touch it. Half-made releases are `building` and never started. */
export async function createRelease(run: Run, plan: BuildPlan, tree: Tree): Promise<Release> {
  const { releases, state } = pathsOf(run.parts.dataDir, run.claim.environmentId);
  const id = newId("rel");
  const directory = join(releases, id);
  const { deploymentId, attempt, environmentId } = run.claim;
  const { db } = run.parts.store;
  const begun =
    await sql`insert into release (id, environment_id, deployment_id, commit_sha, kind, directory, command, health_path)
    select ${id}, ${environmentId}, d.id, ${tree.commit}, ${plan.kind}, ${directory}, ${JSON.stringify(plan.start)}::jsonb, ${run.target.healthPath}
    from deployment d where d.id = ${deploymentId} and d.attempt = ${attempt}`.execute(db);
  if (begun.numAffectedRows === 0n) throw overtaken();
  await mkdir(releases, { recursive: true, mode: 0o700 });
  await mkdir(state, { recursive: true, mode: 0o700 });
  const made = await placeFiles(run, plan, tree.workspace, directory);
  const ready = await sql`update release set state = 'ready' where id = ${id}
    and exists (select 1 from deployment where id = ${deploymentId} and attempt = ${attempt})`.execute(db);
  if (ready.numAffectedRows === 0n) throw overtaken();
  await db
    .updateTable("deployment")
    .set({ release_id: id })
    .where("id", "=", deploymentId)
    .where("attempt", "=", attempt)
    .execute();
  return {
    id,
    directory,
    command: plan.start,
    healthPath: run.target.healthPath,
    movedFrom: made === "moved" ? tree.workspace.folder : null,
  };
}

/** A fresh workspace ends here: as the release, or as the persistent workspace. */
async function placeFiles(
  run: Run,
  plan: BuildPlan,
  { folder, fresh }: Workspace,
  to: string,
): Promise<"copied" | "moved"> {
  const { workspace, state } = pathsOf(run.parts.dataDir, run.claim.environmentId);
  const made = await makeRelease({
    workspace: folder,
    from: await findOutput(plan),
    to,
    memory: join(state, "released"),
    share: (await run.parts.runtime.isolation()).isolated,
    fresh,
    signal: run.signal,
  });
  if (fresh && made === "copied") await settleAs(run.parts.source, folder, workspace);
  return made;
}

const commandShape: z.ZodType<StartCommand> = z.discriminatedUnion("kind", [
  z.object({ kind: z.literal("static"), root: z.string(), fallback: z.string().nullable() }),
  z.object({ kind: z.literal("exec"), argv: z.tuple([z.string()], z.string()) }),
]);

/** A kept release, to be started again. Throws `NOT_FOUND` when retention has removed it. */
export async function getRelease(run: Run, releaseId: string): Promise<Release> {
  const row = await run.parts.store.db
    .selectFrom("release")
    .select(["id", "directory", "command", "health_path"])
    .where("id", "=", releaseId)
    .where("environment_id", "=", run.claim.environmentId)
    .where("state", "=", "ready")
    .executeTakeFirst();
  if (!row) throw Fault.of("NOT_FOUND", "", { message: `release ${releaseId} is not kept any more` });
  return {
    id: row.id,
    directory: row.directory,
    command: commandShape.parse(row.command),
    healthPath: row.health_path,
    movedFrom: null,
  };
}

/** The replica's row comes before its process: whatever crashes in between is found again by its id. */
export async function startRelease(run: Run, release: Release): Promise<Replica> {
  await advance(run, "starting");
  const replica = await step(run, "start", async () => {
    const replicaId = await claimReplica(run, release.id);
    const started = await run.parts.runtime.start({
      fence: run.claim,
      replicaId,
      environmentId: run.claim.environmentId,
      releaseId: release.id,
      directory: release.directory,
      command: release.command,
      env: { NODE_ENV: "production" },
      limits: run.parts.limits,
    });
    await run.parts.store.db
      .updateTable("replica")
      .set({ port: started.port })
      .where("id", "=", replicaId)
      .execute();
    return started;
  });
  await advance(run, "verifying");
  return replica;
}

async function claimReplica(run: Run, releaseId: string): Promise<string> {
  const id = newId("rpl");
  const { deploymentId, attempt, environmentId } = run.claim;
  const inserted = await sql`insert into replica (id, environment_id, release_id, deployment_id, attempt)
    select ${id}, ${environmentId}, ${releaseId}, d.id, ${attempt}
    from deployment d where d.id = ${deploymentId} and d.attempt = ${attempt}`.execute(run.parts.store.db);
  if (inserted.numAffectedRows === 0n) throw overtaken();
  return id;
}

/** Row first, then files: a crash leaves a `removing` row, and the next call ends it. */
export async function removeRelease(
  store: Store,
  release: { readonly id: string; readonly directory: string },
): Promise<void> {
  await store.db.updateTable("release").set({ state: "removing" }).where("id", "=", release.id).execute();
  await rm(release.directory, { recursive: true, force: true });
  await store.db.deleteFrom("release").where("id", "=", release.id).execute();
}

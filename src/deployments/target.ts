import { join } from "node:path";
import { sql } from "kysely";
import type { BuildSettings } from "../apps/apps.ts";
import { parseBuildSettings } from "../apps/build-settings.ts";
import { Fault } from "../faults/fault.ts";
import type { Db, Tx } from "../store/store.ts";

/** Everything a deployment must know of where it goes. */
export interface Target {
  readonly environmentId: string;
  readonly environment: string;
  readonly branch: string;
  readonly host: string;
  readonly healthPath: string | null;
  readonly liveReleaseId: string | null;
  readonly appId: string;
  readonly app: string;
  readonly build: BuildSettings;
  readonly connectionId: string;
  readonly projectId: number;
  readonly projectPath: string;
  readonly httpUrl: string;
  /** Being unlinked: nothing new is begun. */
  readonly removing: boolean;
}

/** Throws `NOT_FOUND` when the app was unlinked meanwhile. */
export async function getTarget(db: Db | Tx, environmentId: string): Promise<Target> {
  const row = await db
    .selectFrom("environment as e")
    .innerJoin("app as a", "a.id", "e.app_id")
    .innerJoin("linked_project as p", "p.id", "a.linked_project_id")
    .select([
      "e.id as environmentId",
      "e.name as environment",
      "e.branch",
      "e.host",
      "e.health_path as healthPath",
      "e.live_release_id as liveReleaseId",
      "a.id as appId",
      "a.name as app",
      "a.build",
      "p.connection_id as connectionId",
      "p.project_id as projectId",
      "p.path as projectPath",
      "p.http_url as httpUrl",
      sql<boolean>`a.removing_at is not null`.as("removing"),
    ])
    .where("e.id", "=", environmentId)
    .executeTakeFirst();
  if (!row) throw Fault.of("NOT_FOUND", "", { message: "the environment does not exist any more" });
  return { ...row, build: parseBuildSettings(row.build) };
}

/** Until the transaction ends nothing is queued, claimed, torn down or cleaned up for this environment by anybody else. */
export async function lockEnvironment(tx: Tx, environmentId: string): Promise<void> {
  await sql`select 1 from environment where id = ${environmentId} for update`.execute(tx);
}

/** Where an environment's files lie. All of it may be thrown away but the releases. */
export function pathsOf(
  dataDir: string,
  environmentId: string,
): { workspace: string; cache: string; state: string; releases: string } {
  const base = join(dataDir, "environments", environmentId);
  return {
    workspace: join(base, "workspace"),
    cache: join(base, "cache"),
    state: join(base, "state"),
    releases: join(base, "releases"),
  };
}

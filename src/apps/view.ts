import { sql } from "kysely";
import type { Db } from "../store/store.ts";
import type { AppView, EnvironmentView } from "./apps.ts";
import { parseBuildSettings } from "./build-settings.ts";

type ToUrl = (host: string) => string;

export async function listAppViews(db: Db, toUrl: ToUrl): Promise<readonly AppView[]> {
  return readViews(db, null, toUrl);
}

export async function findAppView(db: Db, nameOrId: string, toUrl: ToUrl): Promise<AppView | null> {
  const [view] = await readViews(db, nameOrId, toUrl);
  return view ?? null;
}

/** Two queries however many apps there are. */
async function readViews(db: Db, nameOrId: string | null, toUrl: ToUrl): Promise<readonly AppView[]> {
  const rows = await db
    .selectFrom("app")
    .innerJoin("linked_project", "linked_project.id", "app.linked_project_id")
    .innerJoin("connection", "connection.id", "linked_project.connection_id")
    .select([
      "app.id",
      "app.name",
      "app.build",
      "app.deploy_key_id",
      "app.created_at",
      "linked_project.project_id",
      "linked_project.path",
      "linked_project.web_url",
      "linked_project.hook_state",
      "linked_project.hook_signed",
      "linked_project.hook_reason",
      "connection.name as connection",
    ])
    .where(
      nameOrId === null ? sql<boolean>`true` : sql<boolean>`app.id = ${nameOrId} or app.name = ${nameOrId}`,
    )
    .orderBy("app.name")
    .execute();
  const environments = await readEnvironments(
    db,
    nameOrId === null ? null : rows.map((row) => row.id),
    toUrl,
  );
  return rows.map((row) => ({
    id: row.id,
    name: row.name,
    connection: row.connection,
    project: { id: row.project_id, path: row.path, webUrl: row.web_url },
    hook: { state: row.hook_state, signed: row.hook_signed, reason: row.hook_reason },
    deployKeyId: row.deploy_key_id,
    build: parseBuildSettings(row.build),
    environments: environments.get(row.id) ?? [],
    createdAt: row.created_at,
  }));
}

async function readEnvironments(
  db: Db,
  appIds: readonly string[] | null,
  toUrl: ToUrl,
): Promise<Map<string, EnvironmentView[]>> {
  const rows = await db
    .selectFrom("environment")
    .leftJoin("release", "release.id", "environment.live_release_id")
    .select([
      "environment.id",
      "environment.app_id",
      "environment.name",
      "environment.branch",
      "environment.host",
      "environment.live_release_id",
      "environment.wanted_commit",
      "release.commit_sha",
    ])
    .where(appIds === null ? sql<boolean>`true` : sql<boolean>`environment.app_id = any(${appIds})`)
    .orderBy("environment.created_at")
    .orderBy("environment.id")
    .execute();
  const byApp = new Map<string, EnvironmentView[]>();
  for (const row of rows) {
    const view = {
      id: row.id,
      name: row.name,
      branch: row.branch,
      host: row.host,
      url: toUrl(row.host),
      liveReleaseId: row.live_release_id,
      liveCommit: row.commit_sha,
      wantedCommit: row.wanted_commit,
    };
    const known = byApp.get(row.app_id);
    if (known) known.push(view);
    else byApp.set(row.app_id, [view]);
  }
  return byApp;
}

import type { Selectable } from "kysely";
import { Fault } from "../faults/fault.ts";
import type { Project } from "../gitlab/gitlab.ts";
import { newId, randomToken } from "../kernel/ids.ts";
import type { Secret } from "../kernel/secret.ts";
import type { Place, Vault } from "../secrets/vault.ts";
import type { AppTable, LinkedProjectTable } from "../store/rows.ts";
import type { Db, Tx } from "../store/store.ts";
import type { BuildSettings } from "./apps.ts";
import { newHookSecrets, sealHookSecrets } from "./hook-secrets.ts";

export type LinkedProjectRow = Selectable<LinkedProjectTable>;
export type AppRow = Selectable<AppTable>;

export interface LinkWish {
  readonly connectionId: string;
  readonly project: Project;
  readonly cloneUrl: string;
  /** A name a person chose, or null. */
  readonly name: string | null;
  readonly defaultName: string;
  readonly branch: string;
  readonly healthPath: string | null;
  readonly build: BuildSettings;
  readonly appsDomain: string;
}

export interface LinkRows {
  readonly linked: LinkedProjectRow;
  readonly app: AppRow;
  readonly environmentId: string;
}

/** Where the private half of an app's deploy key is sealed. */
export function deployKeyPlace(appId: string): Place {
  return { table: "app", row: appId, column: "deploy_key_private" };
}

/**
 * Writes everything a link will need before anything is made in GitLab: whatever happens afterwards, the rows name the hook's secret
 * path and the deploy key, and whoever unlinks or links again can find both. Throws `CONFLICT` (name_taken).
 */
export async function writeLinkRows(
  db: Db,
  vault: Vault,
  wish: LinkWish,
  key: { readonly publicKey: string; readonly privateKey: Secret },
): Promise<LinkRows> {
  return db.transaction().execute(async (tx) => {
    const linked = await ensureLinkedProject(tx, vault, wish);
    const app =
      (await findUnfinished(tx, linked, wish)) ?? (await insertApp(tx, vault, wish, linked.id, key));
    const environmentId = await ensureProduction(tx, app, wish);
    return { linked, app, environmentId };
  });
}

async function ensureLinkedProject(tx: Tx, vault: Vault, wish: LinkWish): Promise<LinkedProjectRow> {
  const id = newId("prj");
  const facts = {
    path: wish.project.path,
    web_url: wish.project.webUrl,
    http_url: wish.cloneUrl,
    ssh_url: wish.project.sshUrl,
    default_branch: wish.project.defaultBranch,
  };
  return tx
    .insertInto("linked_project")
    .values({
      id,
      connection_id: wish.connectionId,
      project_id: wish.project.id,
      ...facts,
      hook_path: randomToken(32),
      hook_id: null,
      ...sealHookSecrets(vault, id, newHookSecrets()),
      hook_state: "creating",
      hook_reason: null,
    })
    .onConflict((conflict) => conflict.columns(["connection_id", "project_id"]).doUpdateSet(facts))
    .returningAll()
    .executeTakeFirstOrThrow();
}

/** What an earlier link of the same project and name left half-made, whose turn has gone by: the caller holds the project's lock. */
async function findUnfinished(tx: Tx, linked: LinkedProjectRow, wish: LinkWish): Promise<AppRow | undefined> {
  const found = await tx
    .selectFrom("app")
    .selectAll()
    .where("linked_project_id", "=", linked.id)
    .where("name", "=", wish.name ?? wish.defaultName)
    .executeTakeFirst();
  if (!found || !isUnfinished(found, linked)) return undefined;
  return tx
    .updateTable("app")
    .set({ removing_at: null, build: JSON.stringify(wish.build) })
    .where("id", "=", found.id)
    .returningAll()
    .executeTakeFirstOrThrow();
}

export function isUnfinished(
  app: Pick<AppRow, "removing_at" | "deploy_key_public" | "deploy_key_id">,
  linked: Pick<LinkedProjectRow, "hook_state">,
): boolean {
  const keyUnsent = app.deploy_key_public !== null && app.deploy_key_id === null;
  return app.removing_at !== null || linked.hook_state === "creating" || keyUnsent;
}

async function insertApp(
  tx: Tx,
  vault: Vault,
  wish: LinkWish,
  linkedProjectId: string,
  key: { readonly publicKey: string; readonly privateKey: Secret },
): Promise<AppRow> {
  const id = newId("app");
  const values = {
    id,
    linked_project_id: linkedProjectId,
    deploy_key_id: null,
    deploy_key_public: key.publicKey,
    deploy_key_private: vault.seal(key.privateKey, deployKeyPlace(id)),
    build: JSON.stringify(wish.build),
  };
  const base = wish.name ?? wish.defaultName;
  for (let number = 1; number <= 1000; number++) {
    const name = number === 1 ? base : `${base}-${number}`;
    const stored = await tx
      .insertInto("app")
      .values({ ...values, name })
      .onConflict((conflict) => conflict.column("name").doNothing())
      .returningAll()
      .executeTakeFirst();
    if (stored) return stored;
    if (wish.name !== null) break;
  }
  throw nameTaken(base);
}

async function ensureProduction(tx: Tx, app: AppRow, wish: LinkWish): Promise<string> {
  const settings = { branch: wish.branch, health_path: wish.healthPath };
  const kept = await tx
    .updateTable("environment")
    .set(settings)
    .where("app_id", "=", app.id)
    .where("name", "=", "production")
    .returning("id")
    .executeTakeFirst();
  if (kept) return kept.id;
  const stored = await tx
    .insertInto("environment")
    .values({
      id: newId("env"),
      app_id: app.id,
      name: "production",
      host: `${app.name}.${wish.appsDomain}`,
      ...settings,
      wanted_commit: null,
      live_release_id: null,
    })
    .onConflict((conflict) => conflict.column("host").doNothing())
    .returning("id")
    .executeTakeFirst();
  if (!stored) throw nameTaken(app.name);
  return stored.id;
}

function nameTaken(name: string): Fault {
  return Fault.of("CONFLICT", "name_taken", { message: `There is an app named ${name} already` });
}

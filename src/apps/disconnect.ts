import type { LeftBehind } from "./apps.ts";
import type { AppsDeps } from "./deps.ts";
import { unlink } from "./unlink.ts";

/** Unlinks every app of the connection, one after another, then forgets the connection and its token. */
export async function disconnect(
  deps: AppsDeps,
  nameOrId: string,
  signal?: AbortSignal,
): Promise<{ readonly left: readonly LeftBehind[] }> {
  const connection = await deps.connections.get(nameOrId);
  const apps = await deps.store.db
    .selectFrom("app")
    .innerJoin("linked_project", "linked_project.id", "app.linked_project_id")
    .select("app.id")
    .where("linked_project.connection_id", "=", connection.id)
    .orderBy("app.name")
    .execute();
  const left: LeftBehind[] = [];
  for (const app of apps) left.push(...(await unlink(deps, app.id, signal)).left);
  await deps.connections.forget(connection.id);
  return { left };
}

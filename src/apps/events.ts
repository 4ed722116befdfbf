import type { Db, Tx } from "../store/store.ts";
import type { AppEvent } from "./apps.ts";

/** What happens to an app outside its deployments. */
type EventKind =
  | "linked"
  | "unlinking"
  | "hook_made"
  | "hook_healed"
  | "hook_polling"
  | "deploy_key_made"
  | "deploy_key_missing"
  | "first_deployment_failed"
  | "clone_address";

export async function writeEvent(
  on: Db | Tx,
  appId: string,
  kind: EventKind,
  text: string,
  data: object = {},
): Promise<void> {
  await on
    .insertInto("event")
    .values({ app_id: appId, kind, text, data: JSON.stringify(data) })
    .execute();
}

export async function listEvents(db: Db, appId: string, limit: number): Promise<readonly AppEvent[]> {
  return db
    .selectFrom("event")
    .select(["at", "kind", "text"])
    .where("app_id", "=", appId)
    .orderBy("id", "desc")
    .limit(Math.max(1, Math.min(limit, 1000)))
    .execute();
}

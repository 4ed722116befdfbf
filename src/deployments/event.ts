import type { Tx } from "../store/store.ts";

/** What happened to an app, in a sentence for people. */
export async function writeEvent(tx: Tx, appId: string, kind: string, text: string): Promise<void> {
  await tx.insertInto("event").values({ app_id: appId, kind, text }).execute();
}

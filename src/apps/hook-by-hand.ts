import { Fault } from "../faults/fault.ts";
import { placesOf } from "../faults/places.ts";
import type { Secret } from "../kernel/secret.ts";
import type { AppsDeps } from "./deps.ts";
import { hookAddress } from "./hook-address.ts";
import { openHookSecrets } from "./hook-secrets.ts";

/** What a person enters in GitLab where Fairlead may not make the webhook. */
export interface HookByHand {
  /** Where, in their GitLab of their version. */
  readonly page: string;
  readonly url: string;
  readonly secret: Secret;
  /** As GitLab's form names them. */
  readonly triggers: readonly string[];
}

/** For an app's id. Throws `BAD_REQUEST` where GitLab has no address to call, `NOT_FOUND`, `KEY_UNUSABLE`. */
export async function getHookByHand(deps: AppsDeps, appId: string): Promise<HookByHand> {
  const linked = await deps.store.db
    .selectFrom("app")
    .innerJoin("linked_project as p", "p.id", "app.linked_project_id")
    .select(["p.id", "p.connection_id", "p.web_url", "p.hook_path", "p.hook_secret", "p.hook_signing_key"])
    .where("app.id", "=", appId)
    .executeTakeFirst();
  if (!linked) throw Fault.of("NOT_FOUND", "", { message: "There is no such app" });
  const { baseUrl, webUrl, version } = await deps.connections.get(linked.connection_id);
  const address = hookAddress(deps.publicUrl, baseUrl);
  if (!address.usable) throw Fault.of("BAD_REQUEST", "invalid", { message: address.reason });
  return {
    page: placesOf({ baseUrl: webUrl, version, projectUrl: linked.web_url }).webhooks(),
    url: address.receiver + linked.hook_path,
    secret: openHookSecrets(deps.vault, linked.id, linked).token,
    triggers: ["Push events", "Tag push events"],
  };
}

import type { State } from "../state.ts";
import type { Version } from "../versions.ts";
import type { OutboundPolicy } from "./url-blocker.ts";

/** The administrator's settings as they count when a hook is saved or called. */
export function outboundPolicy(
  box: { readonly state: State; readonly version: Version; readonly url: string },
  moment: "save" | "call",
): OutboundPolicy {
  const { settings } = box.state;
  const denyAll = settings.denyAllRequestsExceptAllowed && box.version.has("denyAllOutboundRequests");
  return {
    allowLocal: settings.allowLocalRequests,
    allowlist: settings.outboundAllowlist,
    denyAll,
    mustResolve: moment === "call" && settings.dnsRebindingProtection,
    ownUrl: box.url,
  };
}

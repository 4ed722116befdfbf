import { randomUUID } from "node:crypto";
import type { Hook, State, Trigger } from "../state.ts";
import type { Version } from "../versions.ts";
import { signatureHeaders, signingKey } from "./signing.ts";

export interface CallIds {
  readonly idempotencyKey: string;
  readonly eventId: string;
}

/** `push_hooks` → `Push Hook`. */
function eventName(trigger: Trigger): string {
  return trigger
    .replace(/s$/, "")
    .split("_")
    .map((word) => word.charAt(0).toUpperCase() + word.slice(1))
    .join(" ");
}

/** A message's framing is not the sender's to choose. */
const FRAMING = new Set(["host", "content-length", "transfer-encoding", "connection"]);

/** Headers of one call, by version (§7.8). Custom ones come first: they cannot replace GitLab's own. */
export function headersOf(
  box: { readonly state: State; readonly version: Version; readonly url: string },
  hook: Hook,
  trigger: Trigger,
  body: string,
  ids: CallIds,
): Record<string, string> {
  const { version } = box;
  const own = {
    "Content-Type": "application/json",
    ...(version.has("webhookUserAgent") ? { "User-Agent": `GitLab/${version.text}` } : {}),
    ...(version.has("webhookIdempotencyKey") ? { "Idempotency-Key": ids.idempotencyKey } : {}),
    "X-Gitlab-Event": eventName(trigger),
    ...(version.has("webhookUuid") ? { "X-Gitlab-Webhook-UUID": randomUUID() } : {}),
    ...(version.has("webhookInstance") ? { "X-Gitlab-Instance": box.url } : {}),
    ...(version.has("webhookEventUuid") ? { "X-Gitlab-Event-UUID": ids.eventId } : {}),
    ...(hook.token === null ? {} : { "X-Gitlab-Token": hook.token.replaceAll(/[\r\n]/g, "") }),
    ...signatureOf(box, hook, body, ids.idempotencyKey),
  };
  const taken = new Set([...Object.keys(own).map((name) => name.toLowerCase()), ...FRAMING]);
  const custom = hook.customHeaders.filter(({ key }) => !taken.has(key.toLowerCase()));
  return { ...Object.fromEntries(custom.map(({ key, value }) => [key, value])), ...own };
}

function signatureOf(
  box: { readonly state: State },
  hook: Hook,
  body: string,
  id: string,
): Record<string, string> {
  const key = hook.signingToken === null ? null : signingKey(hook.signingToken);
  if (key === null) return {};
  return signatureHeaders(key, id, Math.floor(box.state.clock.now() / 1000), body);
}

/** What the log shows of them: secrets stay out of it. */
export function redacted(hook: Hook, headers: Readonly<Record<string, string>>): Record<string, string> {
  const secret = new Set(["x-gitlab-token", ...hook.customHeaders.map(({ key }) => key.toLowerCase())]);
  return Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [
      name,
      secret.has(name.toLowerCase()) ? "[REDACTED]" : value,
    ]),
  );
}

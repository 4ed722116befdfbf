import { Fault } from "../faults/fault.ts";
import { parseWebhook } from "../gitlab/webhook-payload.ts";
import { findDedupeKey, verifyWebhook } from "../gitlab/webhook.ts";
import type { Clock } from "../kernel/clock.ts";
import { newId } from "../kernel/ids.ts";
import type { Vault } from "../secrets/vault.ts";
import type { Store } from "../store/store.ts";
import type { Logger } from "../telemetry/log.ts";
import { createDeliveryWriter } from "./delivery-writer.ts";
import { createHookCache, type HookCache, type KnownHook } from "./hook-cache.ts";
import { headersOf, judge, payloadOf, shortPayload } from "./judge.ts";
import type { Acceptance, IncomingDelivery, Pushes } from "./pushes.ts";
import type { NewDelivery, Stored } from "./store-delivery.ts";

export interface AcceptDeps {
  readonly store: Store;
  readonly vault: Vault;
  readonly clock: Clock;
  readonly log: Logger;
}

/** What `randomToken(32)` looks like: anything else is answered without asking the database. */
const HOOK_PATH = /^[A-Za-z0-9_-]{43}$/;
/** Milliseconds a cached row counts as fresh: a wrong secret makes it be read again at most this often. */
const FRESH_MS = 1000;

/** Verify, judge, store: the whole of what GitLab waits for. */
export function createAccept(deps: AcceptDeps): Pick<Pushes, "knows" | "accept"> {
  const hooks = createHookCache(deps.store.db, deps.vault);
  const write = createDeliveryWriter(deps.store.pool);
  const accept: Pushes["accept"] = async (delivery) => {
    const hook = await findHook(hooks, delivery.hookPath);
    if (!hook) return { kind: "unknown_hook" };
    const trusted = await verify(deps, hooks, hook, delivery);
    if (!trusted) return { kind: "refused" };
    const event = parseWebhook(delivery.headers, delivery.body);
    if (event.kind === "malformed") return { kind: "malformed", reason: event.reason };
    const row: NewDelivery = {
      id: newId("dlv", deps.clock.now()),
      linkedProjectId: trusted.linkedProjectId,
      dedupeKey: findDedupeKey(delivery.headers, delivery.body),
      headers: headersOf(delivery.headers),
      payload: payloadOf(event, delivery.body),
      bodyBytes: delivery.body.length,
      ...judge(event, trusted.projectId),
    };
    let stored = await write(row);
    if (stored.kind === "unstorable") {
      stored = await write({ ...row, payload: shortPayload(event, delivery.body) });
    }
    if (stored.kind === "no_project") hooks.forget(delivery.hookPath);
    return answer(stored, row.id);
  };
  return { accept, knows: async (hookPath) => (await findHook(hooks, hookPath)) !== null };
}

async function findHook(hooks: HookCache, hookPath: string): Promise<KnownHook | null> {
  if (!HOOK_PATH.test(hookPath)) return null;
  try {
    return await hooks.find(hookPath);
  } catch (error) {
    if (error instanceof Fault) throw error;
    throw Fault.of("DATABASE_UNAVAILABLE", "", { cause: error, retryable: true });
  }
}

/** A row that was cached may have been linked anew since: only a fresh one may say no. */
async function verify(
  deps: AcceptDeps,
  hooks: HookCache,
  hook: KnownHook,
  delivery: IncomingDelivery,
): Promise<KnownHook | null> {
  const first = check(deps, hook, delivery);
  if (first.kind === "verified") return hook;
  let reason = first.reason;
  if (performance.now() - hook.readAt > FRESH_MS) {
    hooks.forget(delivery.hookPath);
    const fresh = await findHook(hooks, delivery.hookPath);
    const second = fresh && check(deps, fresh, delivery);
    if (second?.kind === "verified") return fresh;
    reason = second?.reason ?? reason;
  }
  await countRefusal(deps, hook.linkedProjectId);
  deps.log.warn({ project: hook.linkedProjectId, refusal: reason }, "A webhook call was refused");
  return null;
}

function check(
  deps: AcceptDeps,
  hook: KnownHook,
  { headers, body }: IncomingDelivery,
): ReturnType<typeof verifyWebhook> {
  return verifyWebhook({
    headers,
    body,
    secret: hook.secrets.token,
    signingKey: hook.secrets.signingToken,
    signed: hook.signed,
    now: deps.clock.now(),
  });
}

async function countRefusal(deps: AcceptDeps, linkedProjectId: string): Promise<void> {
  try {
    await deps.store.db
      .updateTable("linked_project")
      .set((eb) => ({ bad_secret_count: eb("bad_secret_count", "+", 1) }))
      .where("id", "=", linkedProjectId)
      .execute();
  } catch (error) {
    throw Fault.of("DATABASE_UNAVAILABLE", "", { cause: error, retryable: true });
  }
}

function answer(stored: Stored, deliveryId: string): Acceptance {
  switch (stored.kind) {
    case "received":
      return { kind: "accepted", deliveryId };
    case "ignored":
      return { kind: "ignored", deliveryId, reason: stored.reason };
    case "no_project":
      return { kind: "unknown_hook" };
    case "unstorable":
      return { kind: "malformed", reason: "The body holds text that cannot be stored" };
  }
}

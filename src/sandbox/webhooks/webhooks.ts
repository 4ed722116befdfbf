import { randomUUID } from "node:crypto";
import { sleep, toError } from "../../kernel/clock.ts";
import type { Delivery, Hook, State } from "../state.ts";
import type { Version } from "../versions.ts";
import { signatureHeaders, signingKey } from "./signing.ts";
import { post } from "./post.ts";

/** GitLab's `webhook_timeout`. */
const TIMEOUT_MS = 10_000;

export type Trigger = Delivery["trigger"];

type Payload = Readonly<Record<string, unknown>>;

export interface Webhooks {
  /** Sends in the background, once, whatever comes back. */
  send(hook: Hook, trigger: Trigger, payload: Payload): void;
  /** Sends and waits for the outcome, as the test endpoint does. Fault knobs do not apply. */
  sendNow(hook: Hook, trigger: Trigger, payload: Payload): Promise<Delivery>;
  /** Resolves when nothing is on its way any more. */
  settled(): Promise<void>;
}

const EVENT_NAMES: Readonly<Record<Trigger, string>> = {
  push_hooks: "Push Hook",
  tag_push_hooks: "Tag Push Hook",
};

export function createWebhooks(
  state: State,
  version: Version,
  baseUrl: string,
  signal: AbortSignal,
): Webhooks {
  const underway = new Set<Promise<unknown>>();
  const prepare = (hook: Hook, trigger: Trigger, payload: Payload): Delivery => {
    const body = JSON.stringify(payload);
    const delivery = newDelivery(
      state,
      hook,
      trigger,
      body,
      headersOf(state, version, baseUrl, hook, trigger, body),
    );
    state.deliveries.push(delivery);
    return delivery;
  };
  const background = async (hook: Hook, trigger: Trigger, payload: Payload): Promise<void> => {
    const { delayMs, lose, duplicate } = state.faults.webhooks;
    if (delayMs > 0) await sleep(delayMs, signal);
    const delivery = prepare(hook, trigger, payload);
    if (lose) {
      delivery.responseStatus = "lost";
      return;
    }
    await deliver(state, hook, delivery, signal);
    // The same delivery a second time, under the same ids: Sidekiq runs a job at least once.
    if (duplicate) await deliver(state, hook, again(state, delivery), signal);
  };
  return {
    send: (hook, trigger, payload) => {
      if (state.settings.silentMode) return;
      const work = background(hook, trigger, payload).catch(() => {}); // only the end of the sandbox rejects here
      underway.add(work);
      void work.finally(() => underway.delete(work));
    },
    sendNow: async (hook, trigger, payload) => {
      const delivery = prepare(hook, trigger, payload);
      await deliver(state, hook, delivery, signal);
      return delivery;
    },
    settled: async () => {
      while (underway.size > 0) await Promise.all(underway);
    },
  };
}

function newDelivery(
  state: State,
  hook: Hook,
  trigger: Trigger,
  requestBody: string,
  requestHeaders: Readonly<Record<string, string>>,
): Delivery {
  return {
    id: state.nextId("delivery"),
    hookId: hook.id,
    trigger,
    url: hook.url,
    requestHeaders,
    requestBody,
    createdAt: state.now(),
    responseStatus: "pending",
    responseHeaders: {},
    responseBody: "",
    error: null,
    seconds: 0,
  };
}

/** Makes the call and writes down what came of it. Never rejects. */
async function deliver(state: State, hook: Hook, delivery: Delivery, signal: AbortSignal): Promise<void> {
  const started = performance.now();
  try {
    const answer = await post(delivery.url, {
      headers: delivery.requestHeaders,
      body: delivery.requestBody,
      allowLocal: state.settings.allowLocalRequests,
      verifyTls: hook.enableSslVerification,
      signal: AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT_MS)]),
    });
    delivery.responseStatus = answer.status;
    delivery.responseHeaders = answer.headers;
    delivery.responseBody = answer.body;
  } catch (error) {
    delivery.responseStatus = "internal error";
    delivery.error = wordsOf(toError(error));
  }
  delivery.seconds = (performance.now() - started) / 1000;
}

function again(state: State, delivery: Delivery): Delivery {
  const copy: Delivery = { ...delivery, responseStatus: "pending", id: state.nextId("delivery") };
  state.deliveries.push(copy);
  return copy;
}

function headersOf(
  state: State,
  version: Version,
  baseUrl: string,
  hook: Hook,
  trigger: Trigger,
  body: string,
): Record<string, string> {
  const id = randomUUID();
  const key = hook.signingToken === null ? null : signingKey(hook.signingToken);
  const seconds = Math.floor(state.clock.now() / 1000);
  return {
    ...Object.fromEntries(hook.customHeaders.map(({ key, value }) => [key, value])),
    "Content-Type": "application/json",
    ...(version.has("webhookUserAgent") ? { "User-Agent": `GitLab/${version.text}` } : {}),
    ...(version.has("webhookIdempotencyKey") ? { "Idempotency-Key": id } : {}),
    "X-Gitlab-Event": EVENT_NAMES[trigger],
    ...(version.has("webhookUuid") ? { "X-Gitlab-Webhook-UUID": randomUUID() } : {}),
    ...(version.has("webhookInstance") ? { "X-Gitlab-Instance": baseUrl } : {}),
    ...(version.has("webhookEventUuid") ? { "X-Gitlab-Event-UUID": randomUUID() } : {}),
    ...(hook.token === null ? {} : { "X-Gitlab-Token": hook.token.replaceAll(/[\r\n]/g, "") }),
    ...(key === null ? {} : signatureHeaders(key, id, seconds, body)),
  };
}

/** GitLab's words for a call that came to nothing. */
function wordsOf(error: Error): string {
  if (error.name === "TimeoutError" || error.name === "AbortError") return "execution expired";
  return error.message;
}

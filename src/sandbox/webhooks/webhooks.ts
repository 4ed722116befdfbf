import { randomUUID } from "node:crypto";
import { sleep, toError } from "../../kernel/clock.ts";
import { countUp } from "../rate-limits.ts";
import type { Delivery, Hook, State, Trigger } from "../state.ts";
import type { Version } from "../versions.ts";
import { alertStatus, noteOutcome } from "./failures.ts";
import { headersOf, redacted } from "./headers.ts";
import { createOvertaking } from "./overtaking.ts";
import { outboundPolicy } from "./policy.ts";
import { post } from "./post.ts";
import { createChains, type Chains } from "./recursion.ts";
import { bodyOf, interpolatedUrl } from "./template.ts";

type Payload = Readonly<Record<string, unknown>>;

export interface Webhooks {
  /** Sends in the background, once, whatever comes back. A hook that is set aside, and silent mode, keep it from being sent at all. */
  send(hook: Hook, trigger: Trigger, payload: Payload): void;
  /** Sends and waits for the outcome, as the test endpoint does: also to a hook that is set aside. Fault knobs do not apply. */
  sendNow(hook: Hook, trigger: Trigger, payload: Payload): Promise<Delivery>;
  /** Sends what a stored call sent once more, under the same idempotency key. */
  resend(hook: Hook, delivery: Delivery): Promise<Delivery>;
  /** Runs the work of a request that was made in the course of a hook. */
  readonly within: Chains["within"];
  /** How many calls the knob `hold` keeps back. */
  held(): number;
  /** Makes the calls that were kept back, one after another, in the background. Returns how many. */
  deliverHeld(reversed: boolean): number;
  /** Loses them. Returns how many. */
  dropHeld(): number;
  /** Resolves when nothing is on its way any more; what is kept back is not on its way. */
  settled(): Promise<void>;
}

/** Where calls come from: `url` is GitLab's `external_url` as it is now. */
export interface Place {
  readonly state: State;
  readonly version: Version;
  readonly url: string;
}

/** One call before it is made. */
interface Call {
  readonly hook: Hook;
  readonly trigger: Trigger;
  readonly payload: Payload;
  readonly eventId: string;
  readonly idempotencyKey: string;
}

export function createWebhooks(place: Place, signal: AbortSignal): Webhooks {
  const { state } = place;
  const underway = new Set<Promise<unknown>>();
  const chains = createChains(state.clock);
  const overtaking = createOvertaking(signal);
  const background = async (call: Call): Promise<void> => {
    const { delayMs, lose, duplicate, outOfOrder } = state.faults.webhooks;
    if (delayMs > 0) await sleep(delayMs, signal);
    const passed = outOfOrder ? await overtaking.wait() : () => {};
    if (lose) prepare(place, call).delivery.responseStatus = "lost";
    else await deliver(place, call, signal);
    passed();
    // The job a second time, under the same key: Sidekiq runs a job at least once.
    if (duplicate && !lose) await deliver(place, call, signal);
  };
  const start = (...calls: readonly Call[]): void => {
    const oneByOne = async (): Promise<void> => {
      for (const call of calls) await background(call);
    };
    const work = oneByOne().catch(() => {}); // only the end of the sandbox rejects here
    underway.add(work);
    void work.finally(() => underway.delete(work));
  };
  const held: Call[] = [];
  return {
    send: (hook, trigger, payload) => {
      const call = admit(place, chains, hook, trigger, payload);
      if (!call) return;
      if (state.faults.webhooks.hold) held.push(call);
      else start(call);
    },
    ...holding(held, start, (call) => (prepare(place, call).delivery.responseStatus = "lost")),
    sendNow: (hook, trigger, payload) => {
      const eventId = chains.enter(hook.id) ?? randomUUID();
      return deliver(place, { hook, trigger, payload, eventId, idempotencyKey: randomUUID() }, signal);
    },
    resend: (hook, delivery) => {
      const { trigger, idempotencyKey } = delivery;
      const payload: Payload = { ...Object(JSON.parse(delivery.requestBody)) };
      const plain = { ...hook, customTemplate: null };
      return deliver(place, { hook: plain, trigger, payload, eventId: randomUUID(), idempotencyKey }, signal);
    },
    within: (eventId, work) => chains.within(eventId, work),
    settled: async () => {
      while (underway.size > 0) await Promise.all(underway);
    },
  };
}

/** What is done with calls that were kept back. */
function holding(
  held: Call[],
  start: (...calls: readonly Call[]) => void,
  lose: (call: Call) => void,
): Pick<Webhooks, "held" | "deliverHeld" | "dropHeld"> {
  const takeAll = (): Call[] => held.splice(0);
  return {
    held: () => held.length,
    deliverHeld: (reversed) => {
      const calls = reversed ? takeAll().toReversed() : takeAll();
      start(...calls);
      return calls.length;
    },
    dropHeld: () => {
      const calls = takeAll();
      for (const call of calls) lose(call);
      return calls.length;
    },
  };
}

/** null where GitLab drops the call without a trace in the hook's log. */
function admit(place: Place, chains: Chains, hook: Hook, trigger: Trigger, payload: Payload): Call | null {
  const { state, version } = place;
  if (state.settings.silentMode && version.has("silentMode")) return null;
  if (alertStatus(state, version, hook) !== "executable") return null;
  const limit = state.settings.webhookCallsPerMinute;
  const root = state.projects.get(hook.projectId)?.fullPath.split("/")[0] ?? "";
  if (limit > 0 && countUp(state, `web_hook_calls ${root}`, 60).count > limit) return null;
  const eventId = chains.enter(hook.id);
  return eventId === null ? null : { hook, trigger, payload, eventId, idempotencyKey: randomUUID() };
}

interface Prepared {
  readonly delivery: Delivery;
  /** With the secrets that the row leaves out. */
  readonly sentHeaders: Readonly<Record<string, string>>;
}

function prepare(place: Place, call: Call): Prepared {
  const { state } = place;
  const { hook, trigger } = call;
  const { body, error } = renderedBody(call);
  const sentHeaders = headersOf(place, hook, trigger, body, call);
  const delivery: Delivery = {
    id: state.nextId("delivery"),
    hookId: hook.id,
    trigger,
    url: hook.url,
    idempotencyKey: call.idempotencyKey,
    requestHeaders: redacted(hook, sentHeaders),
    requestBody: body,
    createdAt: state.now(),
    responseStatus: "pending",
    responseHeaders: {},
    responseBody: "",
    error,
    seconds: 0,
  };
  state.deliveries.push(delivery);
  return { delivery, sentHeaders };
}

function renderedBody({ hook, payload }: Call): { readonly body: string; readonly error: string | null } {
  try {
    return { body: bodyOf(hook.customTemplate, payload), error: null };
  } catch (error) {
    return { body: "{}", error: toError(error).message };
  }
}

/** Makes the call and writes down what came of it. Never rejects. */
async function deliver(place: Place, call: Call, signal: AbortSignal): Promise<Delivery> {
  const { state, version } = place;
  const { hook } = call;
  const { delivery, sentHeaders } = prepare(place, call);
  const started = performance.now();
  try {
    if (delivery.error !== null) throw new Error(delivery.error);
    const answer = await post(interpolatedUrl(hook), {
      headers: sentHeaders,
      body: delivery.requestBody,
      policy: outboundPolicy(place, "call"),
      verifyTls: hook.enableSslVerification,
      timeoutMs: state.settings.webhookTimeoutMs,
      maxResponseBytes: state.settings.maxResponseBytes,
      signal,
    });
    delivery.responseStatus = answer.status;
    delivery.responseHeaders = answer.headers;
    delivery.responseBody = answer.body;
  } catch (error) {
    delivery.responseStatus = "internal error";
    delivery.error = toError(error).message;
  }
  delivery.seconds = (performance.now() - started) / 1000;
  if (!signal.aborted) noteOutcome(state, version, state.hooks.get(hook.id) ?? hook, delivery.responseStatus);
  return delivery;
}

import { z } from "zod";
import { integer, text, validate } from "../params.ts";
import { paged } from "../paging.ts";
import { created, recordNotFound, refuse, refuseAsError, type Reply } from "../reply.ts";
import { route, type Call, type Route } from "../route.ts";
import { limitUse } from "../rate-limits.ts";
import type { Delivery, Hook } from "../state.ts";
import { beforeHooks as before, getHook, hookPath, hookProject } from "./find-hook.ts";

const path = "/projects/:id/hooks/:hook_id/events";
const WEEK = 7 * 24 * 60 * 60_000;
const RESENDS_A_MINUTE = 5;

/** The log of a hook's calls (§7.7). */
export const hookEventRoutes: readonly Route[] = [
  route({
    method: "GET",
    path,
    since: "hookEvents",
    before,
    params: { ...hookPath, status: z.union([text, z.array(text)]).optional() },
    handle: (call, { hook_id, status }) => listEvents(call, hook_id, status),
  }),
  route({
    method: "POST",
    path: `${path}/:hook_log_id/resend`,
    since: "hookEventResend",
    before,
    params: { ...hookPath, hook_log_id: integer },
    handle: (call, { hook_id, hook_log_id }) => resendEvent(call, hook_id, hook_log_id),
  }),
];

type Status = string | readonly string[] | undefined;

const CLASSES: Readonly<Record<string, readonly [from: number, below: number]>> = {
  successful: [200, 300],
  client_failure: [400, 500],
  server_failure: [500, 600],
};

function listEvents(call: Call, hookId: number, status: Status): Promise<Reply> {
  const wanted = statusFilter(status);
  const { per_page: perPage } = validate({ per_page: text.default("20") }, call.input, []);
  if (!/^\d+$/.test(perPage)) throw refuseAsError(400, "per_page is invalid");
  if (Number(perPage) < 1 || Number(perPage) > 20)
    throw refuseAsError(400, "per_page does not have a valid value");
  const hook = getHook(call, hookId);
  const rows = eventsOf(call, hook).filter((delivery) => wanted === null || wanted(delivery));
  return paged(call, rows.toReversed(), eventEntity);
}

/** Calls of the last seven days that came to an end. */
function eventsOf(call: Call, hook: Hook): Delivery[] {
  const { state } = call.box;
  const since = state.clock.now() - WEEK;
  return state.deliveries.filter(
    ({ hookId, responseStatus, createdAt }) =>
      hookId === hook.id &&
      responseStatus !== "pending" &&
      responseStatus !== "lost" &&
      Date.parse(createdAt) >= since,
  );
}

/** One status, several with commas, or a list; numbers and the three classes. */
function statusFilter(given: Status): ((delivery: Delivery) => boolean) | null {
  if (given === undefined) return null;
  const words = (typeof given === "string" ? given.split(",") : given).map((word) => word.trim());
  const good = words.every((word) => word in CLASSES || /^[1-5]\d\d$/.test(word));
  if (!good) throw refuseAsError(400, "status does not have a valid value");
  const ranges = words.map((word) => CLASSES[word] ?? [Number(word), Number(word) + 1]);
  return ({ responseStatus }) =>
    typeof responseStatus === "number"
      ? ranges.some(([from = 0, below = 0]) => responseStatus >= from && responseStatus < below)
      : words.includes("server_failure");
}

function eventEntity(delivery: Delivery): Record<string, unknown> {
  return {
    id: delivery.id,
    url: delivery.url,
    trigger: delivery.trigger,
    request_headers: delivery.requestHeaders,
    request_data: JSON.parse(delivery.requestBody),
    response_headers: delivery.responseHeaders,
    response_body: delivery.responseBody,
    execution_duration: delivery.seconds,
    response_status: String(delivery.responseStatus),
  };
}

async function resendEvent(call: Call, hookId: number, logId: number): Promise<Reply> {
  const { state, webhooks } = call.box;
  const hook = getHook(call, hookId);
  const scope = `${hookProject(call).id} ${call.authenticate().id}`;
  limitUse(call, "web_hook_event_resend", scope, RESENDS_A_MINUTE);
  const delivery = eventsOf(call, hook).find(({ id }) => id === logId);
  if (!delivery) throw recordNotFound();
  if (delivery.url !== hook.url) {
    throw refuse(422, "The hook URL has changed. This log entry cannot be retried.");
  }
  if (state.settings.silentMode) throw refuse(422, "Silent mode enabled");
  const again = await webhooks.resend(hook, delivery);
  if (again.responseStatus === "internal error") throw refuse(422, again.error ?? "");
  return created({ response_status: again.responseStatus });
}

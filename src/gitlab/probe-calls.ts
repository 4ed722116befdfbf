import { z } from "zod";
import { Fault, toFault } from "../faults/fault.ts";
import type { GitLab, HookEvent, InstanceSettings, Permission } from "./gitlab.ts";
import { parseAs } from "./parse.ts";
import type { Request } from "./request.ts";
import type { Transport } from "./transport.ts";

type ProbeCalls = Pick<
  GitLab,
  "probePermissions" | "findHookEvents" | "testHook" | "findSettings" | "findBranchRules"
>;

/** What only a diagnosis asks. Nothing here changes anything in GitLab; `testHook` writes a line into the webhook's log. */
export function createProbeCalls(transport: Transport): ProbeCalls {
  return {
    probePermissions: (id, call) =>
      Promise.all(PROBES.map(([name, request]) => probe(transport, name, { ...request(id), ...call }))),

    async findHookEvents(id, hookId, call) {
      const template = "/projects/:id/hooks/:hook_id/events";
      const params = { id, hook_id: hookId };
      try {
        const success = await transport.send({
          method: "GET",
          template,
          params,
          query: { per_page: 20 },
          ...call,
        });
        return parseAs(z.array(hookEventSchema), success, template);
      } catch (error) {
        if (isAbsent(toFault(error))) return null;
        throw error;
      }
    },

    testHook: (id, hookId, call) => testHook(transport, id, hookId, call?.signal),

    async findSettings(call) {
      const template = "/application/settings";
      try {
        return parseAs(settingsSchema, await transport.send({ method: "GET", template, ...call }), template);
      } catch (error) {
        if (toFault(error).is("INSUFFICIENT_ROLE") || toFault(error).is("INSUFFICIENT_SCOPES")) return null;
        throw error;
      }
    },

    async findBranchRules(id, name, call) {
      const template = "/projects/:id/repository/branches/:branch";
      try {
        const success = await transport.send({
          method: "GET",
          template,
          params: { id, branch: name },
          ...call,
        });
        return parseAs(branchRulesSchema, success, template);
      } catch (error) {
        const fault = toFault(error);
        if (fault.is("NOT_FOUND") || fault.is("NOT_GITLAB") || fault.is("REPOSITORY_DISABLED")) return null;
        throw error;
      }
    },
  };
}

const text = z.string().nullish();

const hookEventSchema = z
  .object({
    id: z.int(),
    response_status: z.union([z.string(), z.int()]).nullish(),
    execution_duration: z.number().nullish(),
    created_at: text,
    request_headers: z.record(z.string(), z.unknown()).nullish(),
  })
  .transform((event): HookEvent => {
    const key = event.request_headers?.["Idempotency-Key"];
    return {
      id: event.id,
      status: String(event.response_status ?? "unknown"),
      seconds: event.execution_duration ?? null,
      idempotencyKey: typeof key === "string" ? key : null,
    };
  });

const flag = z
  .boolean()
  .nullish()
  .transform((value) => value ?? null);

const settingsSchema = z
  .object({
    import_sources: z.array(z.string()).nullish(),
    allow_local_requests_from_web_hooks_and_services: flag,
    allow_local_requests_from_hooks_and_services: flag,
    outbound_local_requests_whitelist: z.array(z.string()).nullish(),
    deny_all_requests_except_allowed: flag,
    enabled_git_access_protocol: text,
    push_event_hooks_limit: z.int().nullish(),
    silent_mode_enabled: flag,
    maintenance_mode: flag,
  })
  .transform((settings): InstanceSettings => ({
    importsByUrl: settings.import_sources?.includes("git") ?? null,
    allowsLocalHooks:
      settings.allow_local_requests_from_web_hooks_and_services ??
      settings.allow_local_requests_from_hooks_and_services,
    allowList: settings.outbound_local_requests_whitelist ?? [],
    deniesAllButList: settings.deny_all_requests_except_allowed ?? false,
    gitProtocol: settings.enabled_git_access_protocol ?? "",
    pushHooksLimit: settings.push_event_hooks_limit ?? null,
    silent: settings.silent_mode_enabled ?? false,
    maintenance: settings.maintenance_mode ?? false,
  }));

const branchRulesSchema = z
  .object({ protected: flag, can_push: flag })
  .transform((branch) => ({ protected: branch.protected ?? false, canPush: branch.can_push }));

/** Before 17.3 there is no such address: the words of the catch-all route. */
function isAbsent(fault: Fault): boolean {
  return fault.is("NOT_GITLAB", "wrong_path") || fault.evidence.status === 405;
}

async function testHook(
  transport: Transport,
  id: number,
  hookId: number,
  signal: AbortSignal | undefined,
): Promise<boolean> {
  const template = "/projects/:id/hooks/:hook_id/test/push_events";
  try {
    await transport.send({ method: "POST", template, params: { id, hook_id: hookId }, body: {}, signal });
    return true;
  } catch (error) {
    const fault = toFault(error);
    if (isAbsent(fault)) return false;
    if (fault.evidence.status !== 422) throw error;
    const { evidence } = fault;
    const words = evidence.words ?? "";
    if (/silent mode/i.test(words)) throw Fault.of("HOOKS_SILENCED", "", { evidence });
    if (/URL is blocked/.test(words)) throw Fault.of("HOOK_URL_REFUSED", "", { evidence });
    throw Fault.of("HOOK_UNREACHABLE", "", { evidence });
  }
}

type ProbeRequest = Pick<Request, "method" | "template" | "params" | "query" | "body">;

const project = "/projects/:id";

/**
 * Requests that GitLab refuses after it has looked at the token and before it does anything: the fields that they need are missing, or they name
 * what never exists (hook 0, a commit of zeros). Sources: the order of checks in GitLab's API, 10.5 to 19.
 */
const PROBES: readonly (readonly [name: string, request: (id: number) => ProbeRequest])[] = [
  ["branch: read", (id) => ({ method: "GET", template: `${project}/repository/branches`, params: { id } })],
  [
    "commit: read",
    (id) => ({
      method: "GET",
      template: `${project}/repository/commits`,
      params: { id },
      query: { per_page: 1 },
    }),
  ],
  ["webhook: read", (id) => ({ method: "GET", template: `${project}/hooks`, params: { id } })],
  ["webhook: create", (id) => ({ method: "POST", template: `${project}/hooks`, params: { id }, body: {} })],
  [
    "webhook: update",
    (id) => ({ method: "PUT", template: `${project}/hooks/:hook_id`, params: { id, hook_id: 0 }, body: {} }),
  ],
  ["deploy key: read", (id) => ({ method: "GET", template: `${project}/deploy_keys`, params: { id } })],
  [
    "deploy key: create",
    (id) => ({ method: "POST", template: `${project}/deploy_keys`, params: { id }, body: {} }),
  ],
  [
    "commit status: create",
    (id) => ({
      method: "POST",
      template: `${project}/statuses/:sha`,
      params: { id, sha: "0".repeat(40) },
      body: { state: "pending" },
    }),
  ],
];

async function probe(
  transport: Transport,
  name: string,
  request: ProbeRequest & { readonly signal?: AbortSignal },
): Promise<Permission> {
  try {
    await transport.send(request);
    return { name, state: "granted" };
  } catch (error) {
    return { name, state: stateOf(toFault(error)) };
  }
}

/** Refused for the request's own sake: the permission was there. Refused for the role or for trouble: nothing is known of the permission. */
function stateOf(fault: Fault): Permission["state"] {
  if (fault.is("INSUFFICIENT_SCOPES", "missing_permissions")) return "lacking";
  if (fault.is("BAD_REQUEST") || fault.is("NOT_FOUND")) return "granted";
  return "unknown";
}

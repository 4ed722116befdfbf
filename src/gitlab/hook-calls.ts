import { Fault } from "../faults/fault.ts";
import type { GitLab, HookSettings } from "./gitlab.ts";
import { listAll } from "./pages.ts";
import { parseAs } from "./parse.ts";
import { hookSchema } from "./schemas.ts";
import type { Transport } from "./transport.ts";

type HookCalls = Pick<GitLab, "listHooks" | "createHook" | "updateHook" | "deleteHook">;

const HOOKS = "/projects/:id/hooks";
const HOOK = "/projects/:id/hooks/:hook_id";

/** Project hooks: the token's user must be Maintainer. */
export function createHookCalls(transport: Transport): HookCalls {
  return {
    listHooks: (id, call) => listAll(transport, { template: HOOKS, params: { id }, ...call }, hookSchema),

    async createHook(id, settings, call) {
      const success = await transport.send({
        method: "POST",
        template: HOOKS,
        params: { id },
        body: toBody(settings),
        ...call,
      });
      return parseAs(hookSchema, success, HOOKS);
    },

    async updateHook(id, hookId, settings, call) {
      const success = await transport.send({
        method: "PUT",
        template: HOOK,
        params: { id, hook_id: hookId },
        body: toBody(settings),
        ...call,
      });
      return parseAs(hookSchema, success, HOOK);
    },

    deleteHook: (id, hookId, call) =>
      deleted(transport.send({ method: "DELETE", template: HOOK, params: { id, hook_id: hookId }, ...call })),
  };
}

/** Everything is said, defaults too: versions differ in them, and an update must also bring back what somebody changed by hand. */
function toBody(settings: HookSettings): Record<string, unknown> {
  return {
    url: settings.url,
    token: settings.token.reveal(),
    signing_token: settings.signingToken.reveal(),
    name: settings.name,
    push_events: true,
    tag_push_events: true,
    merge_requests_events: false,
    push_events_branch_filter: "",
    enable_ssl_verification: true,
  };
}

/** True: removed now. False: was gone already. A project that cannot be seen proves neither and throws. */
export async function deleted(request: Promise<unknown>): Promise<boolean> {
  try {
    await request;
    return true;
  } catch (error) {
    if (error instanceof Fault && error.is("NOT_FOUND")) return false;
    throw error;
  }
}

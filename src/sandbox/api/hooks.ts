import { paged } from "../paging.ts";
import { created, noContent, ok, refuseAsError, type Reply } from "../reply.ts";
import { route, type Call, type Route } from "../route.ts";
import { checkUnmodified } from "../unmodified.ts";
import { beforeHooks as before, getHook, hookPath, hookProject, hooksOf } from "./find-hook.ts";
import { hookEntity } from "./hook-entity.ts";
import { hookEventRoutes } from "./hook-events.ts";
import { isEmpty, readHookInput } from "./hook-fields.ts";
import { checkHook, hookFrom } from "./hook-input.ts";
import { refuseHook } from "./hook-refusals.ts";
import { hookTestRoutes } from "./hook-test.ts";
import { hookValueRoutes } from "./hook-values.ts";

const path = "/projects/:id/hooks";

export const hookRoutes: readonly Route[] = [
  route({
    method: "GET",
    path,
    before,
    params: {},
    handle: (call) => paged(call, hooksOf(call), (hook) => hookEntity(call.box, hook, "list")),
  }),
  route({
    method: "GET",
    path: `${path}/:hook_id`,
    before,
    params: hookPath,
    handle: (call, { hook_id }) => ok(hookEntity(call.box, getHook(call, hook_id), "single")),
  }),
  route({ method: "POST", path, before, params: {}, handle: createHook }),
  route({
    method: "PUT",
    path: `${path}/:hook_id`,
    before,
    params: hookPath,
    handle: (call, { hook_id }) => updateHook(call, hook_id),
  }),
  route({
    method: "DELETE",
    path: `${path}/:hook_id`,
    before,
    params: hookPath,
    handle: (call, { hook_id }) => {
      const hook = getHook(call, hook_id);
      checkUnmodified(call, hook.createdAt);
      call.box.state.hooks.delete(hook.id);
      return noContent();
    },
  }),
  ...hookValueRoutes,
  ...hookTestRoutes,
  ...hookEventRoutes,
];

async function createHook(call: Call): Promise<Reply> {
  const { state, version } = call.box;
  const given = readHookInput(call, "create");
  const row = { id: 0, projectId: hookProject(call).id, createdAt: state.now() };
  const wanted = hookFrom(given, row);
  await checkHook(call.box, wanted, "create");
  const limit = state.settings.projectHooksLimit;
  if (hooksOf(call).length >= limit) {
    throw refuseHook(version, "create", ["base", `Maximum number of project hooks (${limit}) exceeded`]);
  }
  const hook = { ...wanted, id: state.nextId("hook") };
  state.hooks.set(hook.id, hook);
  return created(hookEntity(call.box, hook, "single"));
}

async function updateHook(call: Call, id: number): Promise<Reply> {
  const given = readHookInput(call, "update");
  const hook = getHook(call, id);
  if (isEmpty(given)) throw refuseAsError(400, "No parameters provided");
  const changed = hookFrom(given, hook);
  await checkHook(call.box, changed, "update");
  call.box.state.hooks.set(hook.id, changed);
  return ok(hookEntity(call.box, changed, "single"));
}

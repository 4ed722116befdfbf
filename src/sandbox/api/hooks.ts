import { LEVEL } from "../access.ts";
import { readCommits } from "../git/read.ts";
import { integer, oneOf } from "../params.ts";
import { paged } from "../paging.ts";
import { created, noContent, ok, recordNotFound, refuse, refuseAsError, type Reply } from "../reply.ts";
import { route, type Call, type Route } from "../route.ts";
import { HOOK_EVENTS, type Hook, type Project } from "../state.ts";
import { factsOf } from "../webhooks/announce.ts";
import { pushPayload } from "../webhooks/payload.ts";
import { samplePush } from "../webhooks/sample.ts";
import { getProjectAs } from "./find-project.ts";
import { hookEntity } from "./hook-entity.ts";
import { checkHook, hookFields, hookFrom, type HookInput } from "./hook-input.ts";

const path = "/projects/:id/hooks";
const before = (call: Call): void => void maintained(call);

/** Hooks are for Maintainers, and GitLab says so before it looks at a parameter. */
function maintained(call: Call): Project {
  return getProjectAs(call, LEVEL.maintainer);
}

function getHook(call: Call, id: number): Hook {
  const hook = call.box.state.hooks.get(id);
  if (!hook || hook.projectId !== maintained(call).id) throw recordNotFound();
  return hook;
}

function hooksOf(call: Call): Hook[] {
  const project = maintained(call);
  return [...call.box.state.hooks.values()].filter((hook) => hook.projectId === project.id);
}

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
    params: { hook_id: integer },
    handle: (call, { hook_id }) => ok(hookEntity(call.box, getHook(call, hook_id), "single")),
  }),
  route({
    method: "POST",
    path,
    before,
    params: { ...hookFields, url: hookFields.url.unwrap() },
    handle: createHook,
  }),
  route({
    method: "PUT",
    path: `${path}/:hook_id`,
    before,
    params: { ...hookFields, hook_id: integer },
    handle: updateHook,
  }),
  route({
    method: "DELETE",
    path: `${path}/:hook_id`,
    before,
    params: { hook_id: integer },
    handle: (call, { hook_id }) => {
      call.box.state.hooks.delete(getHook(call, hook_id).id);
      return noContent();
    },
  }),
  route({
    method: "POST",
    path: `${path}/:hook_id/test/:trigger`,
    since: "hookTest",
    before,
    params: { hook_id: integer, trigger: oneOf(HOOK_EVENTS) },
    handle: (call, { hook_id, trigger }) => testHook(call, getHook(call, hook_id), trigger),
  }),
];

async function createHook(call: Call, given: HookInput): Promise<Reply> {
  const { state, version } = call.box;
  const limit = state.settings.projectHooksLimit;
  await checkHook(call.box, given, "create");
  if (hooksOf(call).length >= limit) {
    throw refuseAsError(422, `Maximum number of project hooks (${limit}) exceeded`);
  }
  const hook = hookFrom(version, given, {
    id: state.nextId("hook"),
    projectId: maintained(call).id,
    createdAt: state.now(),
  });
  state.hooks.set(hook.id, hook);
  return created(hookEntity(call.box, hook, "single"));
}

async function updateHook(call: Call, given: HookInput & { readonly hook_id: number }): Promise<Reply> {
  const hook = getHook(call, given.hook_id);
  const named = Object.entries(given).filter(([name, value]) => name !== "hook_id" && value !== undefined);
  if (named.length === 0) throw refuseAsError(400, "No parameters provided");
  await checkHook(call.box, given, "update");
  const changed = hookFrom(call.box.version, given, hook);
  call.box.state.hooks.set(hook.id, changed);
  return ok(hookEntity(call.box, changed, "single"));
}

/** Sends a sample synchronously. What the receiver said, or why it could not be reached, is the message of the 422. */
async function testHook(call: Call, hook: Hook, trigger: (typeof HOOK_EVENTS)[number]): Promise<Reply> {
  const { state, webhooks } = call.box;
  if (state.settings.silentMode) throw refuse(422, "Silent mode enabled");
  if (trigger !== "push_events" && trigger !== "tag_push_events") throw refuse(422, untestable(trigger));
  const payload = await testPayload(call, maintained(call), trigger);
  const delivery = await webhooks.sendNow(
    hook,
    trigger === "push_events" ? "push_hooks" : "tag_push_hooks",
    payload,
  );
  const status = delivery.responseStatus;
  if (typeof status === "number" && status >= 200 && status < 300) return created({ message: "201 Created" });
  throw refuse(422, delivery.error ?? delivery.responseBody);
}

async function testPayload(
  call: Call,
  project: Project,
  trigger: "push_events" | "tag_push_events",
): Promise<Record<string, unknown>> {
  const user = call.authenticate();
  if (project.emptyRepo) return samplePush(trigger);
  const newest = await readCommits(call.box.repositories, project, ["--max-count=3", project.defaultBranch]);
  const before = newest.at(-1)?.id ?? "";
  const after = newest[0]?.id ?? "";
  const ref = trigger === "push_events" ? `refs/heads/${project.defaultBranch}` : "refs/tags/v1.0.0";
  const facts = await factsOf(call.box, project, { ref, before, after }, newest);
  return pushPayload(call.box, project, user, facts);
}

const ABSENT: Readonly<Record<string, string>> = {
  issues_events: "Ensure the project has issues.",
  confidential_issues_events: "Ensure the project has issues.",
  note_events: "Ensure the project has notes.",
  confidential_note_events: "Ensure the project has notes.",
  merge_requests_events: "Ensure the project has merge requests.",
  job_events: "Ensure the project has CI jobs.",
  pipeline_events: "Ensure the project has CI pipelines.",
  wiki_page_events: "Ensure the wiki is enabled and has pages.",
  releases_events: "Ensure the project has releases.",
};

function untestable(trigger: string): string {
  return ABSENT[trigger] ?? "Testing not available for this hook";
}

import { readCommits, readRefs } from "../git/read.ts";
import { limitUse } from "../rate-limits.ts";
import { mergeRequestsOf } from "../merge-requests/rows.ts";
import { readMergeRequestFacts } from "../merge-requests/tell.ts";
import { oneOf, text, validate } from "../params.ts";
import { created, refuse, type Reply } from "../reply.ts";
import { route, type Call, type Route } from "../route.ts";
import type { Hook, HookEvent, Project, Trigger } from "../state.ts";
import { factsOf } from "../webhooks/announce.ts";
import { mergeRequestPayload } from "../webhooks/merge-request-payload.ts";
import { notePayload } from "../webhooks/note-payload.ts";
import { pushPayload } from "../webhooks/payload.ts";
import { samplePush, sampleTokenEvent } from "../webhooks/sample.ts";
import { beforeHooks as before, getHook, hookPath, hookProject } from "./find-hook.ts";
import { hookEvents } from "./hook-fields.ts";

export const hookTestRoutes: readonly Route[] = [
  route({
    method: "POST",
    path: "/projects/:id/hooks/:hook_id/test/:trigger",
    since: "hookTest",
    before,
    params: { ...hookPath, trigger: text },
    handle: (call, { hook_id, trigger }) => {
      const known = validate({ trigger: oneOf(hookEvents(call.box.version)) }, { trigger }, []);
      return testHook(call, getHook(call, hook_id), known.trigger);
    },
  }),
];

/** Sends a sample synchronously. What the receiver said, or why it could not be reached, is the message of the 422 (§7.6). */
async function testHook(call: Call, hook: Hook, event: HookEvent): Promise<Reply> {
  limitTests(call, hook);
  if (call.box.state.settings.silentMode) throw refuse(422, "Silent mode enabled");
  const sample = await SAMPLES[event]?.(call, hookProject(call));
  if (!sample) throw refuse(422, ABSENT[event] ?? "Testing not available for this hook");
  const [trigger, payload] = sample;
  const delivery = await call.box.webhooks.sendNow(hook, trigger, payload);
  const status = delivery.responseStatus;
  if (typeof status === "number" && status >= 200 && status < 300) return created({ message: "201 Created" });
  throw refuse(422, delivery.error ?? delivery.responseBody);
}

/** 17.0: three a minute for each hook; since 17.1 five for each user in a project. */
function limitTests(call: Call, hook: Hook): void {
  const { version } = call.box;
  if (!version.has("hookTestLimit")) return;
  const perUser = version.has("hookTestOncePerUser");
  const scope = perUser ? `${hook.projectId} ${call.authenticate().id}` : `hook ${hook.id}`;
  limitUse(call, "web_hook_test", scope, perUser ? 5 : 3);
}

type Sample = readonly [Trigger, Readonly<Record<string, unknown>>];

/** What a test sends by event; null when the project holds nothing of that kind. */
const SAMPLES: Partial<Record<HookEvent, (call: Call, project: Project) => Promise<Sample | null>>> = {
  push_events: async (call, project) => ["push_hooks", await pushSample(call, project, "push_events")],
  tag_push_events: async (call, project) => [
    "tag_push_hooks",
    await pushSample(call, project, "tag_push_events"),
  ],
  merge_requests_events: async (call, project) => {
    const row = mergeRequestsOf(call.box.state, project).at(-1);
    if (!row) return null;
    const facts = await readMergeRequestFacts(call.box, project, row);
    const payload = mergeRequestPayload(call.box, project, call.authenticate(), row, {
      ...facts,
      action: "open",
      changes: {},
      oldrev: null,
    });
    return ["merge_request_hooks", payload];
  },
  note_events: async (call, project) => {
    const note = [...call.box.state.notes.values()].findLast((one) => one.projectId === project.id);
    const row = note && call.box.state.mergeRequests.get(note.mergeRequestId);
    if (!row) return null;
    const facts = await readMergeRequestFacts(call.box, project, row);
    const payload = notePayload(call.box, project, call.authenticate(), row, {
      ...facts,
      note,
      action: "create",
    });
    return ["note_hooks", payload];
  },
  resource_access_token_events: async (call, project) => [
    "resource_access_token_hooks",
    sampleTokenEvent(call.box, project),
  ],
};

async function pushSample(
  call: Call,
  project: Project,
  event: "push_events" | "tag_push_events",
): Promise<Record<string, unknown>> {
  const user = call.authenticate();
  const { repositories } = call.box;
  if (project.emptyRepo) return samplePush(event);
  const newest = await readCommits(repositories, project, ["--max-count=3", project.defaultBranch]);
  const before = newest.at(-1)?.id ?? "";
  const after = newest[0]?.id ?? "";
  const tag = [...(await readRefs(repositories, project)).keys()].find((ref) => ref.startsWith("refs/tags/"));
  const ref = event === "push_events" ? `refs/heads/${project.defaultBranch}` : (tag ?? "refs/tags/v1.0.0");
  return pushPayload(
    call.box,
    project,
    user,
    await factsOf(call.box, project, { ref, before, after }, newest),
  );
}

const ABSENT: Partial<Record<HookEvent, string>> = {
  issues_events: "Ensure the project has issues.",
  confidential_issues_events: "Ensure the project has issues.",
  note_events: "Ensure the project has notes.",
  confidential_note_events: "Ensure the project has notes.",
  emoji_events: "Ensure the project has notes.",
  merge_requests_events: "Ensure the project has merge requests.",
  job_events: "Ensure the project has CI jobs.",
  pipeline_events: "Ensure the project has CI pipelines.",
  wiki_page_events: "Ensure the wiki is enabled and has pages.",
  releases_events: "Ensure the project has releases.",
  milestone_events: "Ensure the project has milestones.",
};

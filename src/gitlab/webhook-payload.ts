import { z } from "zod";
import type { MergeRequestEvent, PushEvent, TagPushEvent, WebhookEvent } from "./webhook-event.ts";
import type { WebhookHeaders } from "./webhook.ts";

/**
 * A webhook's body as an event. Never throws: what is no push, tag or merge request is *ignored* with a reason, what is not a payload
 * of GitLab at all is *malformed*. Read only what `verifyWebhook` let through.
 */
export function parseWebhook(headers: WebhookHeaders, body: Uint8Array): WebhookEvent {
  const header = toEventName(headers["x-gitlab-event"]);
  const payload = readJson(body);
  if (!payload.ok) return { kind: "malformed", event: header ?? "unknown", reason: payload.reason };
  const parsed = envelope.safeParse(payload.json);
  if (!parsed.success) {
    return { kind: "malformed", event: header ?? "unknown", reason: "The body is not a JSON object" };
  }
  const event = toEventName(parsed.data.object_kind) ?? toEventName(parsed.data.event_name) ?? header;
  if (event === null) return toUnnamed(parsed.data);
  const parse = PARSERS.get(event);
  return parse
    ? parse(event, payload.json)
    : { kind: "ignored", event, reason: `Events of kind ${event} do not deploy` };
}

const PARSERS = new Map<string, (event: string, json: unknown) => WebhookEvent>([
  ["push", parsePush],
  ["Push Hook", parsePush],
  ["tag_push", parsePush],
  ["Tag Push Hook", parsePush],
  ["merge_request", parseMergeRequest],
  ["Merge Request Hook", parseMergeRequest],
]);

/** Keys of which every payload has one, also those of old versions that do not name their event. */
const envelope = z.object({
  object_kind: z.unknown().optional(),
  event_name: z.unknown().optional(),
  project: z.unknown().optional(),
  project_id: z.unknown().optional(),
  group_id: z.unknown().optional(),
  object_attributes: z.unknown().optional(),
});

function toUnnamed(payload: z.infer<typeof envelope>): WebhookEvent {
  const known = [payload.project, payload.project_id, payload.group_id, payload.object_attributes];
  return known.some((value) => value !== undefined && value !== null)
    ? { kind: "ignored", event: "unknown", reason: "The payload does not say which event it is" }
    : { kind: "malformed", event: "unknown", reason: "The body is not a payload of GitLab" };
}

type Read = { readonly ok: true; readonly json: unknown } | { readonly ok: false; readonly reason: string };

function readJson(body: Uint8Array): Read {
  try {
    const json: unknown = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(body));
    return { ok: true, json };
  } catch (error) {
    // The parser's message quotes the body: it stays here.
    const utf8 = error instanceof TypeError;
    return { ok: false, reason: utf8 ? "The body is not UTF-8" : "The body is not JSON" };
  }
}

function toEventName(value: unknown): string | null {
  return typeof value === "string" && /^[\w :.-]{1,60}$/.test(value) ? value : null;
}

const sha = z.string().regex(/^(?:[0-9a-f]{40}|[0-9a-f]{64})$/);
const projectId = z.int().positive();
/** Text for people: no control characters (PostgreSQL refuses NUL, terminals obey others), bounded. */
const line = z.string().transform((text) =>
  text
    .slice(0, 500)
    .replaceAll(/\p{Cc}+/gu, " ")
    .toWellFormed()
    .trim(),
);
const optionalLine = line.nullish().catch(null);

/** git's own rules for ref names (`git check-ref-format`), and no leading dash: a ref must never look like an option. */
const refName = z
  .string()
  .max(1024)
  .regex(/^(?!-)(?!.*(?:\.\.|@\{|\/\/|\/\.|\.lock(?:\/|$)|[\p{Cc} ~^:?*[\\]))(?!\/)[^]+(?<![/.])$/u)
  .refine((text) => text.isWellFormed());

const pushSchema = z.object({
  ref: refName,
  before: sha,
  after: sha,
  checkout_sha: sha.nullish().catch(null),
  project_id: projectId.nullish(),
  project: z.object({ id: projectId.nullish(), path_with_namespace: optionalLine }).nullish(),
  user_name: optionalLine,
  user_username: optionalLine,
  total_commits_count: z.int().nonnegative().nullish().catch(null),
  commits: z.array(z.unknown()).nullish().catch(null),
});

type Push = z.infer<typeof pushSchema>;

function parsePush(event: string, json: unknown): WebhookEvent {
  const parsed = pushSchema.safeParse(json);
  if (!parsed.success) return { kind: "malformed", event, reason: describe(parsed.error) };
  const push = parsed.data;
  const id = push.project_id ?? push.project?.id;
  if (id === null || id === undefined) return { kind: "malformed", event, reason: "project_id: missing" };
  if (isSample(id, push)) {
    return {
      kind: "ignored",
      event,
      reason: "GitLab's sample payload: the test of a hook in an empty repository",
    };
  }
  const change = { event, ...toChange(id, push) };
  const branch = after(push.ref, "refs/heads/");
  if (branch !== null) return { kind: "push", branch, ...change } satisfies PushEvent;
  const tag = after(push.ref, "refs/tags/");
  if (tag !== null) return { kind: "tag_push", tag, ...change } satisfies TagPushEvent;
  return { kind: "ignored", event, reason: `${push.ref.slice(0, 200)} is neither a branch nor a tag` };
}

function toChange(id: number, push: Push): Omit<PushEvent, "kind" | "branch" | "event"> {
  const deleted = isZero(push.after);
  const head = push.checkout_sha ?? (deleted ? null : push.after);
  return {
    ref: push.ref,
    projectId: id,
    projectPath: push.project?.path_with_namespace ?? null,
    before: push.before,
    after: push.after,
    checkoutSha: deleted ? null : head,
    created: isZero(push.before),
    deleted,
    commitTitle: findTitle(push.commits ?? [], head),
    author: push.user_name ?? push.user_username ?? null,
    totalCommits: push.total_commits_count ?? push.commits?.length ?? 0,
  };
}

const commitSchema = z.object({ id: z.string(), title: optionalLine, message: optionalLine });

/** Commits come oldest first. */
function findTitle(commits: readonly unknown[], head: string | null): string | null {
  const newest = commits
    .slice(-100)
    .map((commit) => commitSchema.safeParse(commit))
    .flatMap((commit) => (commit.success ? [commit.data] : []));
  const commit = newest.find(({ id }) => id === head) ?? newest.at(-1);
  return commit?.title ?? commit?.message ?? null;
}

/** What GitLab sends for "Test" where there is no commit: a push to a project of its own making. */
function isSample(id: number, push: Push): boolean {
  return (
    id === 15 &&
    push.project?.path_with_namespace === "gitlab/gitlab" &&
    push.after === "da1560886d4f094c3e6c9ef40349f7d38b5d27d7"
  );
}

const mergeRequestSchema = z.object({
  project: z.object({ id: projectId.nullish() }).nullish(),
  object_attributes: z.object({
    iid: z.int().positive(),
    action: z.enum(["open", "close", "reopen", "update", "merge", "unknown"]).catch("unknown"),
    oldrev: sha.nullish().catch(null),
    source_branch: refName,
    target_branch: refName,
    source_project_id: projectId.nullish(),
    target_project_id: projectId,
    last_commit: z.object({ id: sha }).nullish().catch(null),
    title: optionalLine,
  }),
});

function parseMergeRequest(event: string, json: unknown): WebhookEvent {
  const parsed = mergeRequestSchema.safeParse(json);
  // Never malformed: trimmed ones are about (relays, recordings), and nothing is lost by leaving them alone.
  if (!parsed.success) {
    return { kind: "ignored", event, reason: `An incomplete merge request: ${describe(parsed.error)}` };
  }
  const { object_attributes: request, project } = parsed.data;
  return {
    kind: "merge_request",
    event,
    projectId: project?.id ?? request.target_project_id,
    iid: request.iid,
    action: request.action,
    pushed: request.oldrev !== null && request.oldrev !== undefined,
    sourceBranch: request.source_branch,
    targetBranch: request.target_branch,
    sourceProjectId: request.source_project_id ?? null,
    targetProjectId: request.target_project_id,
    headSha: request.last_commit?.id ?? null,
    title: request.title ?? "",
  } satisfies MergeRequestEvent;
}

/** The fields that do not fit, without their values. */
function describe(error: z.ZodError): string {
  return error.issues
    .slice(0, 3)
    .map((issue) => `${issue.path.join(".")}: ${issue.message}`)
    .join("; ")
    .slice(0, 300);
}

/** A name with a leading dash could pass for an option: git does not make such branches either. */
function after(ref: string, prefix: string): string | null {
  const name = ref.startsWith(prefix) ? ref.slice(prefix.length) : "";
  return name === "" || name.startsWith("-") ? null : name;
}

function isZero(id: string): boolean {
  return /^0+$/.test(id);
}

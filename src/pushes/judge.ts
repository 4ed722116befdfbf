import type { WebhookEvent } from "../gitlab/webhook-event.ts";
import { readPushFacts } from "./payload.ts";

/** Bodies longer than this (bytes) are kept as the fields that are read again, not whole. */
const WHOLE_BODY_LIMIT = 1024 * 1024;

export interface Judged {
  readonly event: string;
  /** null: to be processed. Otherwise why there is nothing to do. */
  readonly ignored: string | null;
}

/** What can be decided from the payload alone. Whether an environment wants the branch is decided when the delivery is processed. */
export function judge(event: Exclude<WebhookEvent, { kind: "malformed" }>, projectId: number): Judged {
  return { event: event.event, ignored: findReason(event, projectId) };
}

function findReason(event: Exclude<WebhookEvent, { kind: "malformed" }>, projectId: number): string | null {
  switch (event.kind) {
    case "ignored":
      return event.reason;
    case "merge_request":
      return "merge requests do not deploy";
    case "tag_push":
      return `tag ${event.tag}: tags do not deploy`;
    case "push":
      if (event.projectId !== projectId) {
        return `the payload is about project ${event.projectId}, this webhook belongs to project ${projectId}`;
      }
      return event.deleted ? `branch ${event.branch} was deleted` : null;
  }
}

/** What is kept of the body: all of it, or, of long bodies and of those PostgreSQL cannot hold, what processing reads. */
export function payloadOf(event: WebhookEvent, body: Buffer): string {
  return body.length <= WHOLE_BODY_LIMIT ? body.toString("utf8") : shortPayload(event, body);
}

export function shortPayload(event: WebhookEvent, body: Buffer): string {
  if (event.kind !== "push" && event.kind !== "tag_push") return JSON.stringify({ shortened: true });
  const { ref, before, after, projectId, author, commitTitle, totalCommits } = event;
  const parsed: unknown = JSON.parse(body.toString("utf8"));
  return JSON.stringify({
    shortened: true,
    ref,
    before,
    after,
    project_id: projectId,
    user_name: author,
    commit_title: commitTitle,
    total_commits_count: totalCommits,
    push_options: { deploy: { skip: readPushFacts(parsed).skipRequested } },
  });
}

const KEPT_HEADERS = [
  "user-agent",
  "x-gitlab-event",
  "x-gitlab-instance",
  "x-gitlab-event-uuid",
  "x-gitlab-webhook-uuid",
  "idempotency-key",
  "webhook-id",
  "webhook-timestamp",
] as const;

/** For people who compare with GitLab's own log. Never the token or the signature. */
export function headersOf(headers: Readonly<Record<string, string | undefined>>): string {
  const kept = KEPT_HEADERS.flatMap((name) => {
    const value = headers[name];
    return value === undefined ? [] : [[name, value.slice(0, 300).replaceAll("\0", "").toWellFormed()]];
  });
  return JSON.stringify(Object.fromEntries(kept));
}

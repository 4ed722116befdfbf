import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { startAnswering } from "../../test/support/answering-server.ts";
import { sample } from "../../test/support/sample.ts";
import { openScene } from "./scene.suite.ts";

const RECORDED = join(import.meta.dirname, "../../../shared/gitlab/recorded");

// oxlint-disable-next-line typescript/no-explicit-any -- tests look into payloads freely
type Payload = Record<string, any>;

/**
 * What this GitLab sends for everything that happens to a branch: one payload of each kind by `<object_kind> <what>`. The names of the
 * recorded files follow.
 */
async function payloadsOf(version: string): Promise<Map<string, Payload>> {
  await using receiver = await startAnswering(() => ({}));
  await using scene = await openScene({ version });
  const url = receiver.url;
  const events = ["tag_push_events", "merge_requests_events", "note_events", "deployment_events"];
  await scene.call("POST", "/projects/1/hooks", {
    url,
    ...Object.fromEntries(events.map((event) => [event, true])),
  });
  const file = { branch: "topic", start_branch: "main", commit_message: "x", content: "x" };
  await scene.call("POST", "/projects/1/repository/files/topic.txt", file);
  const wanted = { title: "Topic", source_branch: "topic", target_branch: "main", labels: "bug" };
  const { iid } = (await scene.call("POST", "/projects/1/merge_requests", wanted)).body;
  const one = `/projects/1/merge_requests/${iid}`;
  await scene.call("POST", "/projects/1/repository/files/more.txt", { ...file, start_branch: undefined });
  await scene.call("POST", `${one}/notes`, { body: "x" });
  await scene.call("PUT", one, { state_event: "close" });
  await scene.call("PUT", one, { state_event: "reopen" });
  await scene.call("PUT", `${one}/merge`, {});
  const { commit } = (await scene.call("GET", "/projects/1/repository/branches/main")).body;
  const deployment = { environment: "staging", sha: commit.id, ref: "main", tag: false, status: "success" };
  await scene.call("POST", "/projects/1/deployments", deployment);
  await scene.git("clone", scene.remote(), "w");
  await scene.git("-C", "w", "tag", "-a", "v1", "-m", "one");
  await scene.git("-C", "w", "push", "origin", "v1");
  await scene.git("-C", "w", "push", "origin", ":v1", ":topic");
  await scene.sandbox.settled();
  const payloads = receiver.asked.map(({ body }): Payload => JSON.parse(body));
  return new Map(payloads.map((payload) => [nameOf(payload), payload]));
}

function nameOf(payload: Payload): string {
  const kind = String(payload["object_kind"]);
  if (kind === "merge_request") return `${kind}-${payload["object_attributes"].action}`;
  if (!kind.endsWith("push")) return kind;
  const ends = { before: /^0+$/.test(payload["before"]), after: /^0+$/.test(payload["after"]) };
  return `${kind}${ends.after ? "-delete" : ends.before ? "-create" : ""}`;
}

/** Keys that recorded payloads have and ours do not; keys of `changes` depend on what was changed. */
function missing(recorded: unknown, ours: unknown, at: string): string[] {
  if (typeof recorded !== "object" || recorded === null || typeof ours !== "object" || ours === null)
    return [];
  if (at.endsWith(".changes") || at.endsWith(".merge_params") || at.endsWith(".push_options")) return [];
  if (Array.isArray(recorded)) {
    const [one, own] = [recorded[0], Array.isArray(ours) ? ours[0] : undefined];
    return one === undefined || own === undefined ? [] : missing(one, own, `${at}[]`);
  }
  const mine: Payload = { ...ours };
  return Object.entries(recorded).flatMap(([key, value]) =>
    key in mine ? missing(value, mine[key], `${at}.${key}`) : [`${at}.${key}`],
  );
}

/** People are only told when there are some; these merge requests have none. `position` is a relic of the documentation. */
const ABSENT =
  /^(\.object_attributes|\.merge_request)?\.(assignees|assignee|reviewers)$|^\.merge_request\.position$/;

const made = new Map<string, Promise<Map<string, Payload>>>();

/** One sandbox a version, however many of its payloads are looked at. */
function sent(version: string): Promise<Map<string, Payload>> {
  const payloads = made.get(version) ?? payloadsOf(version);
  made.set(version, payloads);
  return payloads;
}

const CASES: readonly (readonly [version: string, name: string, file: string])[] = [
  ["10.5.0", "merge_request-open", "webhook-merge_request-open/gitlab-docs-10.5-1.json"],
  ["10.5.0", "push", "webhook-push/gitlab-docs-10.0-1.json"],
  ["10.5.0", "tag_push-create", "webhook-tag_push-create/gitlab-docs-10.5-1.json"],
  ["10.5.0", "note", "webhook-note/gitlab-docs-10.5-2.json"],
  ["12.9.0", "note", "webhook-note/atlantis-3.json"],
  ["12.9.0", "push-create", "webhook-push-create/go-scm-1.json"],
  ["12.9.0", "push-delete", "webhook-push-delete/go-scm-1.json"],
  ["12.9.0", "tag_push-delete", "webhook-tag_push-delete/go-scm-1.json"],
  ["13.12.0", "deployment", "webhook-deployment/go-gitlab-1.json"],
  ["15.11.0", "merge_request-update", "webhook-merge_request-update/atlantis-8.json"],
  ["16.6.0", "merge_request-close", "webhook-merge_request-close/woodpecker-1.json"],
  ["16.6.0", "merge_request-merge", "webhook-merge_request-merge/woodpecker-1.json"],
  ["16.6.0", "merge_request-reopen", "webhook-merge_request-reopen/woodpecker-1.json"],
  ["18.9.0", "merge_request-update", "webhook-merge_request-update/woodpecker-9.json"],
  ["18.9.0", "push", "webhook-push/woodpecker-1.json"],
  ["18.9.0", "tag_push-create", "webhook-tag_push-create/woodpecker-1.json"],
];
const VERSIONS = [...new Set(CASES.map(([version]) => version))];
const drawn = sample("recorded payloads", VERSIONS, 2);

test.skipIf(!existsSync(RECORDED)).each(CASES.filter(([version]) => drawn.includes(version)))(
  "%s: %s has every key of %s (skipped without ../shared)",
  async (version, name, file) => {
    const ours = (await sent(version)).get(name);
    expect(ours).toBeDefined();
    const recorded: unknown = JSON.parse(readFileSync(join(RECORDED, file), "utf8"));
    expect(missing(recorded, ours, "").filter((key) => !ABSENT.test(key))).toEqual([]);
  },
);

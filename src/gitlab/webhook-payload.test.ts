import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { parseWebhook } from "./webhook-payload.ts";

const A = "a".repeat(40);
const B = "b".repeat(40);
const ZERO = "0".repeat(40);

function push(over: Record<string, unknown> = {}): Record<string, unknown> {
  return {
    object_kind: "push",
    event_name: "push",
    before: A,
    after: B,
    ref: "refs/heads/feature/x",
    checkout_sha: B,
    user_name: "Amy",
    project_id: 42,
    project: { id: 42, path_with_namespace: "shop/web" },
    commits: [
      { id: A, title: "old", message: "old\n" },
      { id: B, title: "New price", message: "New price\n\nlong" },
    ],
    total_commits_count: 31,
    ...over,
  };
}

const parse = (payload: unknown, headers: Record<string, string> = {}) =>
  parseWebhook(headers, Buffer.from(typeof payload === "string" ? payload : JSON.stringify(payload)));

describe("pushes", () => {
  test("to a branch", () => {
    expect(parse(push())).toEqual({
      kind: "push",
      event: "push",
      branch: "feature/x",
      ref: "refs/heads/feature/x",
      projectId: 42,
      projectPath: "shop/web",
      before: A,
      after: B,
      checkoutSha: B,
      created: false,
      deleted: false,
      commitTitle: "New price",
      author: "Amy",
      totalCommits: 31,
    });
  });

  test("a new branch without commits of its own is a push", () => {
    const event = parse(push({ before: ZERO, commits: [], total_commits_count: 0 }));
    expect(event).toMatchObject({
      kind: "push",
      created: true,
      checkoutSha: B,
      commitTitle: null,
      totalCommits: 0,
    });
  });

  test("a deletion", () => {
    const event = parse(push({ after: ZERO, checkout_sha: null, commits: [] }));
    expect(event).toMatchObject({ kind: "push", deleted: true, checkoutSha: null });
  });

  test("of a tag, also under the wrong kind that old versions send for tests", () => {
    const tag = push({ object_kind: "tag_push", ref: "refs/tags/v1.0", after: A, checkout_sha: B });
    expect(parse(tag)).toMatchObject({ kind: "tag_push", tag: "v1.0", after: A, checkoutSha: B });
    expect(parse({ ...tag, object_kind: "push" })).toMatchObject({ kind: "tag_push", tag: "v1.0" });
  });

  test("a repository with SHA-256 ids", () => {
    const event = parse(
      push({ before: "c".repeat(64), after: "d".repeat(64), checkout_sha: "d".repeat(64) }),
    );
    expect(event).toMatchObject({ kind: "push", checkoutSha: "d".repeat(64) });
  });

  test("GitLab's canned sample is recognised, its documentation's look-alike is a push", () => {
    const sample = push({
      project_id: 15,
      project: { id: 15, path_with_namespace: "gitlab/gitlab" },
      ref: "refs/heads/master",
      before: "95790bf891e76fee5e1747ab589903a6a1f80f22",
      after: "da1560886d4f094c3e6c9ef40349f7d38b5d27d7",
      checkout_sha: "da1560886d4f094c3e6c9ef40349f7d38b5d27d7",
    });
    expect(parse(sample)).toMatchObject({ kind: "ignored", reason: expect.stringContaining("sample") });
    expect(parse({ ...sample, project: { id: 15, path_with_namespace: "mike/diaspora" } })).toMatchObject({
      kind: "push",
    });
  });

  test("refs that are neither branch nor tag are ignored", () => {
    expect(parse(push({ ref: "refs/merge-requests/1/head" }))).toMatchObject({ kind: "ignored" });
    expect(parse(push({ ref: "refs/heads/-rf" }))).toMatchObject({ kind: "ignored" });
  });
});

describe("hostile input", () => {
  test.each([
    ["no body", ""],
    ["not JSON", "{"],
    ["not an object", "[1]"],
    ["null", "null"],
    ["a text", '"push"'],
    ["not GitLab's", '{"hello":"world"}'],
    ["nothing", "{}"],
  ])("%s is malformed", (_, body) => {
    expect(parse(body)).toMatchObject({ kind: "malformed" });
  });

  test("invalid UTF-8 is malformed", () => {
    const bytes = Buffer.concat([
      Buffer.from('{"object_kind":"push","ref":"'),
      Buffer.from([0xff, 0xfe, 0x22, 0x7d]),
    ]);
    expect(parseWebhook({}, bytes)).toEqual({
      kind: "malformed",
      event: "unknown",
      reason: "The body is not UTF-8",
    });
  });

  test.each<[string, Record<string, unknown>]>([
    ["ref", { ref: 42 }],
    ["ref", { ref: "refs/heads/a b" }],
    ["ref", { ref: "refs/heads/../../x" }],
    ["ref", { ref: "refs/heads/x\u0000y" }],
    ["ref", { ref: "refs/heads/x\ny" }],
    ["ref", { ref: "--upload-pack=touch /tmp/x" }],
    ["ref", { ref: "refs/heads/\ud800" }],
    ["ref", { ref: `refs/heads/${"x".repeat(5000)}` }],
    ["after", { after: "--exec=x" }],
    ["after", { after: `${B}\n` }],
    ["after", { after: B.toUpperCase() }],
    ["before", { before: null }],
    ["project_id", { project_id: "42" }],
    ["project_id", { project_id: 1e308 }],
    ["project_id", { project_id: -1 }],
    ["project_id", { project_id: 4.5 }],
    ["project_id", { project_id: null, project: null }],
    ["project", { project: "shop/web" }],
  ])("a push with a wrong %s is malformed and the reason names it, not its value", (field, over) => {
    const event = parse(push(over));
    expect(event).toMatchObject({ kind: "malformed", event: "push", reason: expect.stringContaining(field) });
    expect(JSON.stringify(event)).not.toMatch(/exec|upload/);
  });

  test("what only people read may be anything", () => {
    const odd = {
      user_name: { toString: 1 },
      commits: "none",
      total_commits_count: -5,
      checkout_sha: "HEAD",
    };
    expect(parse(push(odd))).toMatchObject({ kind: "push", author: null, commitTitle: null, checkoutSha: B });
    const text = "a\u0000b\u001b[31mc\ud800".padEnd(2000, "x");
    const event = parse(push({ user_name: text }));
    if (event.kind !== "push") throw new Error("not a push");
    expect(event.author).toMatch(/^a b \[31mc\ufffdx+$/);
    expect(event.author).toHaveLength(500);
  });

  test("keys that would reach a prototype change nothing", () => {
    const text = `{"__proto__":{"polluted":1,"object_kind":"push"},"constructor":{"prototype":{"polluted":1}},${JSON.stringify(push()).slice(1)}`;
    expect(parse(text)).toMatchObject({ kind: "push", branch: "feature/x" });
    expect(({} as Record<string, unknown>)["polluted"]).toBeUndefined();
    expect(parse('{"__proto__":{"object_kind":"push","project":{}}}')).toMatchObject({ kind: "malformed" });
  });

  test("deep nesting neither overflows nor takes long", () => {
    const deep = `{"object_kind":"push","x":${"[".repeat(1_000_000)}${"]".repeat(1_000_000)}}`;
    expect(parse(deep)).toMatchObject({ kind: "malformed" });
    expect(parse("[".repeat(2_000_000))).toMatchObject({ kind: "malformed" });
  });

  test("an event's name that is no name is not repeated", () => {
    const event = parse(
      { object_kind: "<script>", event_name: "x\ny", project: {} },
      { "x-gitlab-event": "\u001b[31m" },
    );
    expect(event).toMatchObject({ kind: "ignored", event: "unknown" });
  });

  test("never throws, whatever comes", () => {
    fc.assert(
      fc.property(fc.json(), fc.string(), (json, header) => {
        expect(["ignored", "malformed"]).toContain(parse(json, { "x-gitlab-event": header }).kind);
      }),
    );
    fc.assert(
      fc.property(fc.dictionary(fc.constantFrom(...Object.keys(push())), fc.jsonValue()), (over) => {
        expect(parse({ ...push(), ...over, object_kind: "push" }).kind).toMatch(
          /^(push|tag_push|ignored|malformed)$/,
        );
      }),
    );
  });
});

describe("other events", () => {
  test("a merge request", () => {
    const attributes = {
      iid: 7,
      action: "update",
      oldrev: A,
      source_branch: "feature/x",
      target_branch: "main",
      source_project_id: 43,
      target_project_id: 42,
      last_commit: { id: B },
      title: "Prices",
    };
    const event = parse({ object_kind: "merge_request", project: { id: 42 }, object_attributes: attributes });
    expect(event).toMatchObject({
      kind: "merge_request",
      iid: 7,
      action: "update",
      pushed: true,
      sourceProjectId: 43,
    });
    expect(parse({ object_kind: "merge_request" })).toMatchObject({
      kind: "ignored",
      event: "merge_request",
    });
    const later = { ...attributes, action: "of a later version", oldrev: undefined };
    expect(parse({ object_kind: "merge_request", object_attributes: later })).toMatchObject({
      action: "unknown",
      pushed: false,
    });
  });

  test("are ignored with a reason that names them", () => {
    expect(parse({ object_kind: "note" })).toEqual({
      kind: "ignored",
      event: "note",
      reason: "Events of kind note do not deploy",
    });
    expect(parse({}, { "x-gitlab-event": "Emoji Hook" })).toMatchObject({
      kind: "ignored",
      event: "Emoji Hook",
    });
  });
});

const recorded = new URL("../../../shared/gitlab/recorded/", import.meta.url).pathname;
const present = existsSync(recorded);
if (!present) console.warn(`skipped: recorded webhook payloads are not at ${recorded}`);

describe.skipIf(!present)("recorded payloads of GitLab 8 to 18", () => {
  const files = present
    ? readdirSync(recorded)
        .filter((folder) => folder.startsWith("webhook-"))
        .flatMap((folder) => readdirSync(join(recorded, folder)).map((file) => `${folder}/${file}`))
    : [];

  test("there are many", () => expect(files.length).toBeGreaterThan(100));

  /** What each folder must become; some recordings of merge request updates were trimmed by those who made them. */
  const expected = files.map((file): [string, string[], object] => {
    const kind = /webhook-(push|tag_push|merge_request)(?=[-/])/.exec(file)?.[1] ?? "ignored";
    const flags = {
      ...(file.includes("-delete/") && { deleted: true }),
      ...(file.includes("-create/") && { created: true }),
    };
    return [file, file.includes("-update/mattermost-") ? [kind, "ignored"] : [kind], flags];
  });

  test.each(expected)("%s", (file, kinds, flags) => {
    const event = parseWebhook({}, readFileSync(join(recorded, file)));
    expect(kinds).toContain(event.kind);
    expect(event).toMatchObject(flags);
    expect(event).not.toHaveProperty("reason", "");
  });
});

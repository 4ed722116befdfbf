import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import * as fc from "fast-check";
import { expect, test } from "vitest";
import type { Commit } from "../git/read.ts";
import { ZEROS } from "../git/refs.ts";
import { createState, type Project } from "../state.ts";
import { parseVersion } from "../versions.ts";
import { pushPayload, type PushFacts } from "./payload.ts";
import { samplePush } from "./sample.ts";

const RECORDED = join(import.meta.dirname, "../../../../shared/gitlab/recorded");
const sha = fc.string({
  unit: fc.constantFrom(...Array.from("0123456789abcdef")),
  minLength: 40,
  maxLength: 40,
});
const words = fc.string({ unit: "binary", maxLength: 30 });
const commit: fc.Arbitrary<Commit> = fc.record({
  id: sha,
  parentIds: fc.array(sha, { maxLength: 2 }),
  authorName: words,
  authorEmail: words,
  authoredDate: fc.constant("2026-01-02T03:04:05.000+00:00"),
  committerName: words,
  committerEmail: words,
  committedDate: fc.constant("2026-01-02T03:04:05.000+02:00"),
  trailers: fc.constant([]),
  title: words,
  message: words,
});
const facts: fc.Arbitrary<PushFacts> = fc.record({
  change: fc.record({
    ref: fc.constantFrom("refs/heads/main", "refs/heads/a/b", "refs/tags/v1"),
    before: fc.oneof(fc.constant(ZEROS), sha),
    after: fc.oneof(fc.constant(ZEROS), sha),
  }),
  commits: fc.array(commit, { maxLength: 5 }),
  changedPaths: fc.constant(new Map()),
  totalCommits: fc.nat(),
  checkoutSha: fc.oneof(fc.constant(null), sha),
  message: fc.oneof(fc.constant(null), words),
  pushOptions: fc.array(fc.oneof(words, fc.constantFrom("ci.skip", "mr.create"))),
});

function projectOf(name: string): Project {
  const state = createState({ now: () => 0 });
  return {
    id: 7,
    name,
    path: "shop",
    namespaceId: 1,
    fullPath: "acme/sub/shop",
    creatorId: 1,
    description: name,
    createdAt: state.now(),
    members: new Map(),
    memberships: new Map(),
    shares: new Map(),
    updatedAt: state.now(),
    topics: [],
    import: null,
    forkedFromId: null,
    forksCount: 0,
    markedForDeletionOn: null,
    pendingDelete: false,
    protectedBranches: new Map([["main", { pushLevel: 40, allowForcePush: false }]]),
    visibility: "private",
    lastActivityAt: state.now(),
    defaultBranch: "main",
    emptyRepo: false,
    archived: false,
    repositoryEnabled: true,
    buildsEnabled: true,
  };
}

const box = { url: "http://git.example.com/gitlab", version: parseVersion("18.9.0") };
const user = {
  id: 3,
  username: "ann",
  name: "Ann",
  email: "ann@example.com",
  namespaceId: 2,
  condition: "active",
  furtherConditions: [],
  botOf: null,
  dpopRequired: false,
  admin: false,
  bot: false,
  projectsLimit: 1,
  canCreateGroup: true,
  createdAt: "",
} as const;

test("whatever was pushed, the payload is whole, plain JSON and true to its ref", () => {
  fc.assert(
    fc.property(facts, words, (facts, name) => {
      const payload = pushPayload(box, projectOf(name), { ...user }, facts);
      const back = JSON.parse(JSON.stringify(payload));
      expect(back).toEqual(payload);
      const tag = facts.change.ref.startsWith("refs/tags/");
      expect(back.object_kind).toBe(tag ? "tag_push" : "push");
      expect(back.ref_protected).toBe(facts.change.ref === "refs/heads/main");
      expect(back.checkout_sha).toBe(facts.change.after === ZEROS ? null : facts.checkoutSha);
      expect(back.project.path_with_namespace).toBe("acme/sub/shop");
      expect(back.commits.map((one: { id: string }) => one.id)).toEqual(facts.commits.map((one) => one.id));
    }),
  );
});

test("an old GitLab does not tell whether a ref is protected", () => {
  const [one] = fc.sample(facts, 1);
  const payload = pushPayload({ ...box, version: parseVersion("15.3.0") }, projectOf("x"), { ...user }, one!);
  expect("ref_protected" in payload).toBe(false);
});

test.skipIf(!existsSync(RECORDED))(
  "recorded payloads have no key that ours lack (skipped without ../shared)",
  () => {
    const [one] = fc.sample(facts, 1);
    const ours = [pushPayload(box, projectOf("x"), { ...user }, one!), samplePush("push_events")];
    for (const kind of ["webhook-push", "webhook-push-delete", "webhook-tag_push-create"]) {
      for (const file of readdirSync(join(RECORDED, kind))) {
        const recorded = JSON.parse(readFileSync(join(RECORDED, kind, file), "utf8"));
        for (const payload of ours) {
          for (const part of [recorded, recorded.project, recorded.repository]) {
            const mine =
              part === recorded
                ? payload
                : part === recorded.project
                  ? payload["project"]
                  : payload["repository"];
            const missing = Object.keys(part ?? {}).filter((key) => !(key in Object(mine)));
            expect({ file, missing }).toEqual({ file, missing: [] });
          }
        }
      }
    }
  },
);

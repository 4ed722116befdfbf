import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import {
  contentSchema,
  groupSchema,
  listedBranchSchema,
  memberSchema,
  namespaceSchema,
  treeEntrySchema,
} from "./browse-schemas.ts";
import {
  branchSchema,
  commitSchema,
  compareSchema,
  deployKeySchema,
  hookSchema,
  projectSchema,
  tokenSchema,
  userSchema,
} from "./schemas.ts";

describe("what an answer becomes", () => {
  const project = { id: 1, path_with_namespace: "g/p", web_url: "https://x/g/p" };

  test("the highest known level counts; none known is not zero", () => {
    const level = (permissions: unknown) => projectSchema.parse({ ...project, permissions }).accessLevel;
    expect(level({ project_access: { access_level: 30 }, group_access: { access_level: 50 } })).toBe(50);
    expect(level({ project_access: null, group_access: { access_level: 40 } })).toBe(40);
    expect(level({ project_access: null, group_access: null })).toBeNull();
    expect(level(undefined)).toBeNull();
  });

  test("an unknown word of a later version is unknown, a missing one too", () => {
    const hook = { id: 1, url: "https://x" };
    expect(hookSchema.parse({ ...hook, alert_status: "snoozed" }).alertStatus).toBe("unknown");
    expect(hookSchema.parse(hook)).toMatchObject({ alertStatus: "unknown", signingTokenPresent: null });
    expect(
      hookSchema.parse({ ...hook, alert_status: "disabled", signing_token_present: true }),
    ).toMatchObject({
      alertStatus: "disabled",
      signingTokenPresent: true,
    });
  });

  test("a key is its type and its base64: comments are masked by some versions", () => {
    const key = { id: 1, title: "t", key: "ssh-ed25519 AAAAC3 Amy (git.acme.lan)\n" };
    expect(deployKeySchema.parse(key)).toEqual({
      id: 1,
      title: "t",
      key: "ssh-ed25519 AAAAC3",
      canPush: false,
    });
  });

  test("users of project and group tokens are bots, in versions that do not say so too", () => {
    const bot = (user: object) => userSchema.parse({ id: 1, ...user }).bot;
    expect(bot({ username: "project_12_bot_0f" })).toBe(true);
    expect(bot({ username: "group_3_bot" })).toBe(true);
    expect(bot({ username: "project_manager" })).toBe(false);
    expect(bot({ username: "project_12_bot", bot: false })).toBe(false);
  });

  test("a date that is none is no date", () => {
    const token = (expires_at: unknown) =>
      tokenSchema.parse({ name: "t", scopes: ["api"], user_id: 1, expires_at }).expiresAt;
    expect(token("2027-01-31")).toBe("2027-01-31");
    expect(token(null)).toBeNull();
    expect(token("never")).toBeNull();
  });
});

const recorded = new URL("../../../shared/gitlab/recorded/", import.meta.url).pathname;
const present = existsSync(recorded);
if (!present) console.warn(`skipped: recorded answers are not at ${recorded}`);

describe.skipIf(!present)("recorded answers of GitLab 8 to 18 can be read", () => {
  const cases: [string, z.ZodType][] = [
    ["branch", branchSchema],
    ["commit", commitSchema],
    ["deploy-key", deployKeySchema],
    ["hook", hookSchema],
    ["project", projectSchema],
    ["user", userSchema],
    ["personal-access-token", tokenSchema],
    ["compare", compareSchema],
    ["project-simple", projectSchema],
    ["project-list", z.array(projectSchema)],
    ["group", groupSchema],
    ["group-list", z.array(groupSchema)],
    ["namespace", namespaceSchema],
    ["namespace-list", z.array(namespaceSchema)],
    ["member", memberSchema],
    ["branch-list", z.array(listedBranchSchema)],
    ["tree", z.array(treeEntrySchema)],
    ["file", contentSchema],
  ];
  const files = cases.flatMap(([folder, schema]) =>
    present ? readdirSync(join(recorded, folder)).map((file) => [`${folder}/${file}`, schema] as const) : [],
  );

  test.each(files)("%s", (file, schema) => {
    const parsed = schema.safeParse(JSON.parse(readFileSync(join(recorded, file), "utf8")));
    expect(parsed.error?.issues ?? []).toEqual([]);
  });
});

import { expect, test } from "vitest";
import { runFairlead } from "../../test/support/cli.ts";
import { startTestServer } from "../../test/support/http-server.ts";
import { fakeServices } from "../../test/support/services.ts";
import type { ListedProject } from "../connections/browse.ts";

const project = (id: number, more: Partial<ListedProject> = {}): ListedProject => ({
  id,
  path: `acme/p${id}`,
  webUrl: `http://x/acme/p${id}`,
  defaultBranch: "main",
  archived: false,
  pendingDeletion: false,
  empty: false,
  accessLevel: 40,
  canDeploy: true,
  reason: null,
  ...more,
});

test("projects: the verdict of each; more pages are named, and read with --all", async () => {
  const asked: unknown[] = [];
  const listProjects = async (connection: string, wish: { readonly cursor?: string | undefined }) => {
    asked.push([connection, wish]);
    return wish.cursor === undefined
      ? {
          items: [project(2), project(1, { canDeploy: false, reason: "it is archived\u001B[2J" })],
          next: "id_before=1",
          total: null,
        }
      : { items: [project(0, { canDeploy: null, reason: "unknown" })], next: null, total: null };
  };
  await using server = await startTestServer({ services: fakeServices({ browser: { listProjects } }) });
  const first = await runFairlead(server.url, "projects work --search shop --in acme/web");
  expect(first.code).toBe(0);
  expect(first.out).toMatch(/acme\/p2 +2 +main +yes\n/);
  expect(first.out).toMatch(/acme\/p1 +1 +main +no: it is archived/);
  expect(first.out).not.toContain("\u001B[2J");
  expect(first.err).toContain("There are more");
  expect(asked).toEqual([["work", { group: "acme/web", search: "shop" }]]);
  const all = await runFairlead(server.url, "projects work --all --json");
  const lines = all.out
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as ListedProject);
  expect(lines.map(({ id, canDeploy }) => [id, canDeploy])).toEqual([
    [2, true],
    [1, false],
    [0, null],
  ]);
  expect(asked.at(-1)).toEqual(["work", { cursor: "id_before=1" }]);
});

test("files: a folder's entries over its pages, and a file byte by byte", async () => {
  const look = async (
    _connection: string,
    _project: string,
    { path, cursor }: { readonly path: string; readonly cursor?: string | undefined },
  ) => {
    if (path === "logo")
      return { ref: "main", path, entries: null, next: null, content: Buffer.from([0, 255, 10]) };
    const entry = (name: string, type: "tree" | "blob") => ({ name, path: name, type, sha: "a", mode: "" });
    return cursor === undefined
      ? { ref: "main", path, entries: [entry("src", "tree")], next: "page_token=a", content: null }
      : { ref: "main", path, entries: [entry("b.txt", "blob")], next: null, content: null };
  };
  await using server = await startTestServer({ services: fakeServices({ browser: { look } }) });
  expect((await runFairlead(server.url, "files work acme/shop")).out).toBe("src/\nb.txt\n");
  const file = await runFairlead(server.url, "files work acme/shop logo --json");
  expect(JSON.parse(file.out)).toMatchObject({ path: "logo", content: "AP8K" });
});

import { describe, expect, test } from "vitest";
import { startAnswering, type Asked, type Reply } from "../../test/support/answering-server.ts";
import { faultOf } from "../../test/support/fault-of.ts";
import { Secret } from "../kernel/secret.ts";
import { createGitLab } from "./client.ts";

function client(url: string) {
  return createGitLab({ baseUrl: url, token: new Secret("glpat-x") });
}

const routes =
  (table: Record<string, Reply>) =>
  (asked: Asked): Reply =>
    table[`${asked.method} ${asked.url}`] ?? { status: 404, body: { error: "404 Not Found" } };

const project = (id: number, path = `g/p${id}`) => ({
  id,
  path_with_namespace: path,
  web_url: `http://x/${path}`,
});
const query = (asked: Asked | undefined): Record<string, string> =>
  Object.fromEntries(new URL(asked?.url ?? "", "http://x").searchParams);

describe("projects", () => {
  test("are asked for by keyset and by what GitLab searches; of Link only the query counts", async () => {
    await using server = await startAnswering(({ url }) =>
      url.includes("id_before=8")
        ? { body: [project(7)] }
        : {
            body: [project(9), project(8)],
            headers: {
              link: '<https://elsewhere.invalid/api/v4/projects?pagination=keyset&id_before=8&sudo=root&per_page=100>; rel="next"',
            },
          },
    );
    await using gitlab = client(server.url);
    const first = await gitlab.listProjects({ search: "shop", minAccessLevel: 40 });
    expect(first.items.map(({ id }) => id)).toEqual([9, 8]);
    expect(first.total).toBeNull();
    expect(server.asked).toHaveLength(1);
    expect(query(server.asked[0])).toEqual({
      search: "shop",
      min_access_level: "40",
      membership: "true",
      order_by: "id",
      sort: "desc",
      per_page: "100",
      pagination: "keyset",
    });
    const second = await gitlab.listProjects({
      search: "shop",
      minAccessLevel: 40,
      cursor: `${first.next}&sudo=root&private_token=x`,
    });
    expect(second).toMatchObject({ items: [{ id: 7 }], next: null });
    expect(query(server.asked[1])).toMatchObject({ id_before: "8", search: "shop" });
    expect(server.asked[1]?.url).not.toMatch(/sudo|private_token/);
  });

  test("are paged by number where keyset is not known, with totals up to 10,000", async () => {
    await using old = await startAnswering(({ url }) =>
      url.includes("&page=2")
        ? { body: [project(2)], headers: { "x-total": "2", "x-next-page": "" } }
        : { body: [project(1)], headers: { "x-total": "2", "x-next-page": "2" } },
    );
    await using gitlab = client(old.url);
    const first = await gitlab.listProjects();
    expect(first).toMatchObject({ next: "page=2", total: 2 });
    expect(await gitlab.listProjects({ cursor: first.next ?? "" })).toMatchObject({ next: null });
  });

  test("a refusal of keyset (405) is asked again without it, once", async () => {
    await using server = await startAnswering(({ url }) =>
      url.includes("keyset")
        ? {
            status: 405,
            body: { error: "Keyset pagination is not yet available for this type of request" },
          }
        : { body: [project(1)] },
    );
    await using gitlab = client(server.url);
    expect((await gitlab.listProjects()).items).toHaveLength(1);
    expect(server.asked).toHaveLength(2);
  });

  test("of a group come with those of its subgroups; a search with a slash is one for a path", async () => {
    await using server = await startAnswering(() => ({ body: [] }));
    await using gitlab = client(server.url);
    await gitlab.listProjects({ groupId: 5, simple: true, archived: false });
    expect(server.asked[0]?.url).toMatch(/^\/api\/v4\/groups\/5\/projects\?/);
    expect(query(server.asked[0])).toEqual({
      simple: "true",
      archived: "false",
      include_subgroups: "true",
      per_page: "100",
    });
    await gitlab.listProjects({ search: "acme/sub/shop" });
    expect(query(server.asked[1])).toMatchObject({ search: "acme/sub/shop", search_namespaces: "true" });
    await gitlab.listProjects({ search: "" });
    expect(query(server.asked[2])).not.toHaveProperty("search");
  });
});

test("groups, their subgroups and namespaces, with words of later versions", async () => {
  await using server = await startAnswering(
    routes({
      "GET /api/v4/groups?min_access_level=30&top_level_only=true&order_by=path&per_page=100": {
        body: [{ id: 1, name: "Acme", path: "acme", full_path: "acme", project_creation_level: "quantum" }],
      },
      "GET /api/v4/groups/1/subgroups?order_by=path&per_page=100": {
        body: [
          {
            id: 2,
            path: "web",
            full_path: "acme/web",
            parent_id: 1,
            marked_for_deletion_on: "2026-01-01",
            web_url: "https://x/groups/acme/web",
          },
        ],
      },
      "GET /api/v4/namespaces?search=am&per_page=100": {
        body: [
          { id: 3, path: "amy", kind: "user" },
          { id: 4, path: "amber", kind: "organization" },
        ],
      },
    }),
  );
  await using gitlab = client(server.url);
  expect((await gitlab.listGroups({ minAccessLevel: 30, topLevelOnly: true })).items).toMatchObject([
    { path: "acme", projectCreation: "quantum", parentId: null },
  ]);
  expect((await gitlab.listGroups({ parentId: 1 })).items).toEqual([
    {
      id: 2,
      path: "acme/web",
      name: "web",
      webUrl: "https://x/groups/acme/web",
      parentId: 1,
      pendingDeletion: true,
      projectCreation: "unknown",
    },
  ]);
  const namespaces = await gitlab.listNamespaces({ search: "am" });
  expect(namespaces.items.map(({ kind }) => kind)).toEqual(["user", "unknown"]);
});

test("the level that counts; none is 0; a GitLab that does not say is null", async () => {
  await using server = await startAnswering(
    routes({
      "GET /api/v4/projects/1/members/all/7": { body: { id: 7, access_level: 40 } },
      "GET /api/v4/projects/1/members/all/8": { status: 404, body: { message: "404 Not found" } },
      "GET /api/v4/projects/2/members/all/7": { status: 404, body: { message: "404 Project Not Found" } },
    }),
  );
  await using gitlab = client(server.url);
  expect(await gitlab.findAccessLevel(1, 7)).toBe(40);
  expect(await gitlab.findAccessLevel(1, 8)).toBe(0);
  expect((await faultOf(gitlab.findAccessLevel(2, 7))).code).toBe("PROJECT_NOT_FOUND");
  expect(await gitlab.findAccessLevel(3, 7)).toBeNull();
});

describe("files", () => {
  const commit = { id: "f".repeat(40), title: "T" };

  test("branches, folders and a file", async () => {
    const base = "GET /api/v4/projects/1/repository";
    await using server = await startAnswering(
      routes({
        [`${base}/branches?search=ma&per_page=100`]: {
          body: [{ name: "main", commit, default: true, protected: true }],
        },
        [`${base}/tree?ref=main&path=src&per_page=100&pagination=keyset`]: {
          body: [
            { id: "a1", name: "a.ts", path: "src/a.ts", type: "blob", mode: "100644" },
            { id: "b1", name: "b", path: "src/b", type: "wormhole" },
          ],
          headers: { link: '<http://x/tree?page_token=b1&pagination=keyset>; rel="next"' },
        },
        [`${base}/files/src%2Fa.ts?ref=main`]: {
          body: { encoding: "base64", content: Buffer.from([0, 255, 10]).toString("base64") },
        },
        [`${base}/files/gone?ref=main`]: { status: 404, body: { message: "404 File Not Found" } },
      }),
    );
    await using gitlab = client(server.url);
    expect((await gitlab.listBranches(1, { search: "ma" })).items).toMatchObject([
      { name: "main", isDefault: true, isProtected: true, commit: { sha: commit.id } },
    ]);
    const tree = await gitlab.listTree(1, { ref: "main", path: "src" });
    expect(tree.items.map(({ type, sha }) => [type, sha])).toEqual([
      ["blob", "a1"],
      ["unknown", "b1"],
    ]);
    expect(tree.next).toBe("page_token=b1&pagination=keyset");
    const file = await gitlab.findFile(1, "src/a.ts", "main");
    expect(file?.content).toEqual(new Uint8Array([0, 255, 10]));
    expect(await gitlab.findFile(1, "gone", "main")).toBeNull();
    const asked = server.asked.length;
    for (const path of ["", "..", "a/../b", "/etc", "a//b", "a/"])
      expect(await gitlab.findFile(1, path, "main")).toBeNull();
    expect(server.asked).toHaveLength(asked);
  });

  test.each([
    [404, "404 Tree Not Found", { empty_repo: true }, "REPOSITORY_EMPTY"],
    [404, "404 Tree Not Found", {}, "NOT_FOUND"],
    [403, "403 Forbidden", { repository_access_level: "disabled" }, "REPOSITORY_DISABLED"],
    [403, "403 Forbidden", { empty_repo: true }, "INSUFFICIENT_ROLE"],
  ])("a folder's %i %s of a project with %j is %s", async (status, message, more, code) => {
    await using server = await startAnswering(({ url }) =>
      url.includes("/repository/") ? { status, body: { message } } : { body: { ...project(1), ...more } },
    );
    await using gitlab = client(server.url);
    expect((await faultOf(gitlab.listTree(1, { ref: "main" }))).code).toBe(code);
    expect((await faultOf(gitlab.findFile(1, "a", "main"))).code).toBe(code);
  });

  test("behind a proxy that decodes %2F a file in a folder is found through its folder", async () => {
    const base = "GET /api/v4/projects/1/repository";
    await using server = await startAnswering(
      routes({
        [`${base}/tree?ref=main&path=src&per_page=100`]: {
          body: [{ id: "a1", name: "a.ts", path: "src/a.ts", type: "blob" }],
        },
        [`${base}/blobs/a1`]: { body: { encoding: "base64", content: "aGk=" } },
      }),
    );
    await using gitlab = client(server.url);
    expect(Buffer.from((await gitlab.findFile(1, "src/a.ts", "main"))?.content ?? []).toString()).toBe("hi");
    expect(await gitlab.findFile(1, "src/b.ts", "main")).toBeNull();
  });
});

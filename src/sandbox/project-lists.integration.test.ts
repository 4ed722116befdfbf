import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openScene, type Answer, type Scene } from "./scene.suite.ts";

/** `rel` → the parameters of its URL. */
function linksOf(answer: Answer): Record<string, Record<string, string>> {
  const links = [...(answer.headers.get("link") ?? "").matchAll(/<([^>]+)>; rel="(\w+)"/g)];
  return Object.fromEntries(
    links.map(([, url = "", rel = ""]) => [rel, Object.fromEntries(new URL(url).searchParams)]),
  );
}

const pathsOf = (answer: Answer): string[] => answer.body.map((row: { path: string }) => row.path);

describe("10,000 projects", () => {
  let scene: Scene;
  beforeAll(async () => {
    scene = await openScene();
    for (let at = 2; at <= 10_000; at++) {
      await scene.sandbox.state.createProject({ path: `many/p${at}`, owner: scene.ann });
    }
  });
  afterAll(() => scene[Symbol.asyncDispose]());

  test("one more, and totals and the last page are told no more", async () => {
    const before = await scene.call("GET", "/projects?per_page=100&page=100");
    expect([before.headers.get("x-total"), before.headers.get("x-total-pages")]).toEqual(["10000", "100"]);
    expect([before.headers.get("x-next-page"), before.headers.get("x-prev-page")]).toEqual(["", "99"]);
    await scene.sandbox.state.createProject({ path: "many/more", owner: scene.ann });
    const after = await scene.call("GET", "/projects?per_page=100&page=100");
    expect([after.headers.get("x-total"), after.headers.get("x-total-pages")]).toEqual([null, null]);
    expect([after.headers.get("x-next-page"), Object.keys(linksOf(after))]).toEqual([
      "101",
      ["prev", "next", "first"],
    ]);
  });

  test("by keyset every project comes once, with a link until a page is empty", async () => {
    const seen = new Set<number>();
    let query: Record<string, string> = {
      pagination: "keyset",
      order_by: "id",
      sort: "asc",
      per_page: "100",
    };
    let pages = 0;
    for (;;) {
      const answer = await scene.call("GET", `/projects?${new URLSearchParams(query).toString()}`);
      expect([answer.status, answer.headers.get("x-total"), answer.headers.get("x-page")]).toEqual([
        200,
        null,
        null,
      ]);
      for (const row of answer.body) seen.add(row.id);
      pages += 1;
      const next = linksOf(answer)["next"];
      if (!next) break;
      query = next;
    }
    expect([seen.size, pages]).toEqual([10_001, 102]);
  });

  test("an offset above 50,000 is refused, whoever asks", async () => {
    expect((await scene.call("GET", "/projects?per_page=100&page=500")).status).toBe(200);
    const answer = await scene.call("GET", "/projects?per_page=100&page=501");
    expect([answer.status, answer.body.error]).toEqual([
      405,
      "Offset pagination has a maximum allowed offset of 50000 for requests that return objects of type Project. Remaining records can be retrieved using keyset pagination.",
    ]);
  });
});

describe("keyset", () => {
  test.each([
    ["18.9.0", "order_by=name", 405],
    ["18.9.0", "", 405],
    ["18.9.0", "order_by=id", 200],
    ["12.6.0", "order_by=name", 200],
  ])("%s with %s: %d", async (version, order, status) => {
    await using scene = await openScene({ version });
    const answer = await scene.call("GET", `/projects?pagination=keyset&${order}`);
    const refusal = "Keyset pagination is not yet available for this type of request";
    expect([answer.status, answer.body.error]).toEqual([status, status === 405 ? refusal : undefined]);
  });

  test("Links is a header of old versions, and groups have none for their projects", async () => {
    await using old = await openScene({ version: "13.3.0" });
    const path = "/projects?pagination=keyset&order_by=id&per_page=1";
    const answer = await old.call("GET", path);
    expect(answer.headers.get("links")).toBe(answer.headers.get("link"));
    expect(linksOf(answer)["next"]).toMatchObject({ id_before: "1", order_by: "id", pagination: "keyset" });
    expect((await old.call("GET", "/groups/acme/projects?pagination=keyset&order_by=id")).status).toBe(405);
  });
});

describe("filters", () => {
  let scene: Scene;
  beforeAll(async () => {
    scene = await openScene();
    const { state, rows } = scene.sandbox;
    await state.createProject({
      path: "ann/alpha",
      visibility: "public",
      owner: scene.ann,
      topics: ["Web", "go"],
    });
    await state.createProject({ path: "other/beta", visibility: "internal", description: "a 50% shop" });
    await state.createProject({ path: "other/hidden" });
    const gamma = await state.createProject({ path: "other/gamma", topics: ["web"] });
    state.addMember(gamma, scene.ann, 30);
    gamma.archived = true;
    const gone = await state.createProject({ path: "ann/gone", owner: scene.ann });
    gone.pendingDelete = true;
    rows.projectsByPath.get("ann/alpha")!.lastActivityAt = "2020-01-01T00:00:00.000Z";
  });
  afterAll(() => scene[Symbol.asyncDispose]());

  test.each([
    ["", ["gamma", "beta", "alpha", "shop"]],
    ["membership=true", ["gamma", "alpha", "shop"]],
    ["owned=true", ["alpha", "shop"]],
    ["min_access_level=30", ["gamma", "alpha", "shop"]],
    ["min_access_level=40", ["alpha", "shop"]],
    ["archived=true", ["gamma"]],
    ["archived=false", ["beta", "alpha", "shop"]],
    ["active=false", ["gamma"]],
    ["visibility=internal", ["beta"]],
    ["topic=web", ["gamma", "alpha"]],
    ["topic=web,GO", ["alpha"]],
    ["search=50%25", ["beta"]],
    ["search=acme", []],
    ["search=acme&search_namespaces=true", ["shop"]],
    ["search=.*", []],
    ["order_by=name&sort=asc", ["alpha", "beta", "gamma", "shop"]],
    ["order_by=last_activity_at&sort=asc&archived=false&visibility=public", ["alpha"]],
    ["last_activity_after=2021-01-01", ["gamma", "beta", "shop"]],
    ["last_activity_before=2021-01-01", ["alpha"]],
    ["id_after=1&id_before=3", ["alpha"]],
    ["include_pending_delete=true&owned=true", ["alpha", "shop"]],
    ["order_by=similarity&search=a", ["alpha", "gamma", "beta"]],
  ])("%s", async (query, paths) => {
    const answer = await scene.call("GET", `/projects?${query}`);
    expect([answer.status, pathsOf(answer)]).toEqual([200, paths]);
  });

  test("pending deletion is told to administrators who ask, and nobody else finds it", async () => {
    const admin = scene.tokenWith({ user: scene.sandbox.state.root });
    const all = await scene.call("GET", "/projects?include_pending_delete=true", undefined, admin);
    expect(pathsOf(all)).toContain("gone");
    expect((await scene.call("GET", "/projects/ann%2Fgone")).body).toEqual({
      message: "404 Project Not Found",
    });
  });

  test.each([
    ["visibility=secret", "visibility does not have a valid value"],
    ["min_access_level=35", "min_access_level does not have a valid value"],
    ["min_access_level=x", "min_access_level is invalid"],
    ["order_by=stars", "order_by does not have a valid value"],
    ["last_activity_after=yesterday", "last_activity_after is invalid"],
    ["id_after=1'", "id_after is invalid"],
  ])("%s: 400 %s", async (query, error) => {
    const answer = await scene.call("GET", `/projects?${query}`);
    expect([answer.status, answer.body]).toEqual([400, { error }]);
  });

  test("updated_after needs its order; statistics come for Reporters who ask", async () => {
    expect((await scene.call("GET", "/projects?updated_after=2020-01-01")).body).toEqual({
      message: "400 Bad request - `updated_at` filter and `updated_at` sorting must be paired",
    });
    const [shop] = (await scene.call("GET", "/projects?statistics=true&search=shop&owned=true")).body;
    expect(shop.statistics).toMatchObject({ commit_count: 1, repository_size: expect.any(Number) });
    expect((await scene.call("GET", "/projects/1")).body.statistics).toBeUndefined();
  });

  test("links carry the request's parameters, defaults, no token, and the host of external_url", async () => {
    scene.sandbox.settings.externalUrl = "https://gitlab.example.com";
    const answer = await scene.call("GET", `/projects?search=a&per_page=1&private_token=${scene.token}`);
    scene.sandbox.settings.externalUrl = null;
    const link = answer.headers.get("link") ?? "";
    expect(link).toMatch(/^<https:\/\/gitlab\.example\.com\/api\/v4\/projects\?/);
    expect(link).not.toContain(scene.token);
    expect(linksOf(answer)["next"]).toMatchObject({
      page: "2",
      per_page: "1",
      search: "a",
      order_by: "created_at",
    });
  });

  test("simple rows of each version, and what people without an account see", async () => {
    const fields = (answer: Answer): string[] => Object.keys(answer.body[0]);
    const simple = await scene.call("GET", "/projects?simple=true");
    expect([fields(simple).includes("visibility"), fields(simple).includes("permissions")]).toEqual([
      true,
      false,
    ]);
    expect(pathsOf(await scene.call("GET", "/projects", undefined, null))).toEqual(["alpha"]);
    await using old = await openScene({ version: "13.3.0" });
    const before = fields(await old.call("GET", "/projects?simple=true"));
    expect([before.includes("visibility"), before.includes("topics"), before.includes("tag_list")]).toEqual([
      false,
      false,
      true,
    ]);
  });
});

describe("permissions", () => {
  test.each([
    ["18.1.0", { access_level: 40, notification_level: 3 }],
    ["18.0.0", null],
  ])("%s: membership above the project's group is %j", async (version, groupAccess) => {
    await using scene = await openScene({ version });
    const { state } = scene.sandbox;
    const top = state.createGroup({ path: "top" });
    await state.createProject({ path: "top/sub/x" });
    state.addMember(top, scene.ann, 40);
    const { body } = await scene.call("GET", "/projects/top%2Fsub%2Fx");
    expect(body.permissions).toEqual({ project_access: null, group_access: groupAccess });
  });

  test("an invited group opens the project without being in `permissions`", async () => {
    await using scene = await openScene();
    const { state } = scene.sandbox;
    const guests = state.createGroup({ path: "guests", owner: scene.ann });
    const project = await state.createProject({ path: "far/away" });
    const root = scene.tokenWith({ user: state.root });
    expect((await scene.call("GET", "/projects/far%2Faway")).status).toBe(404);
    const body = { group_id: guests.id, group_access: 30 };
    const shared = await scene.call("POST", `/projects/${project.id}/share`, body, root);
    expect([shared.status, shared.body]).toEqual([
      201,
      { id: 1, project_id: project.id, group_id: guests.id, group_access: 30, expires_at: null },
    ]);
    expect((await scene.call("POST", `/projects/${project.id}/share`, body, root)).status).toBe(409);
    const seen = await scene.call("GET", `/projects/${project.id}`);
    expect(seen.body.permissions).toEqual({ project_access: null, group_access: null });
    const member = await scene.call("GET", `/projects/${project.id}/members/all/${scene.ann.id}`);
    expect(member.body.access_level).toBe(30);
    expect(
      (await scene.call("DELETE", `/projects/${project.id}/share/${guests.id}`, undefined, root)).status,
    ).toBe(204);
    expect((await scene.call("GET", `/projects/${project.id}`)).status).toBe(404);
  });
});

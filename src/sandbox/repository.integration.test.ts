import { execFileSync } from "node:child_process";
import { gunzipSync } from "node:zlib";
import { request } from "undici";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openScene, type Scene } from "./scene.suite.ts";

let scene: Scene;
let first = "";
const repo = "/projects/1/repository";
beforeAll(async () => {
  scene = await openScene();
  first = (await scene.call("GET", `${repo}/branches/main`)).body.commit.id;
});
afterAll(() => scene[Symbol.asyncDispose]());

/** Status and what an error says, in whichever envelope. */
async function said(method: string, path: string, body?: unknown, token?: string | null): Promise<unknown[]> {
  const answer = await scene.call(method, path, body, token);
  return [answer.status, answer.body?.message ?? answer.body?.error ?? answer.body];
}

describe("commits", () => {
  const commit = (given: object) =>
    said("POST", `${repo}/commits`, { branch: "main", commit_message: "m", ...given });

  test("creates, moves, changes and removes files in one commit", async () => {
    const actions = [
      {
        action: "create",
        file_path: "bin/run",
        content: "IyEvYmluL3No",
        encoding: "base64",
        execute_filemode: true,
      },
      { action: "move", file_path: "docs/a b.txt", previous_path: "lib/a.txt" },
      { action: "update", file_path: "index.html", content: "<h1>é</h1>\n" },
      { action: "create", file_path: "gone", content: "x" },
      { action: "delete", file_path: "gone" },
    ];
    const body = {
      branch: "work",
      start_branch: "main",
      commit_message: "many",
      actions,
      author_name: "Bob",
    };
    scene.sandbox.faults.clockSkewSeconds = 60;
    const made = await scene.call("POST", `${repo}/commits`, body);
    scene.sandbox.faults.clockSkewSeconds = 0;
    expect(made.status).toBe(201);
    expect(made.body).toMatchObject({
      title: "many",
      author_name: "Bob",
      committer_name: "Ann Example",
      parent_ids: [first],
      project_id: 1,
      status: null,
      stats: { additions: 2, deletions: 1, total: 3 },
    });
    const tree = await scene.call("GET", `${repo}/tree?ref=work&recursive=true`);
    expect(tree.body.map((entry: { mode: string; path: string }) => [entry.mode, entry.path])).toEqual([
      ["040000", "bin"],
      ["100755", "bin/run"],
      ["040000", "docs"],
      ["100644", "docs/a b.txt"],
      ["100644", "index.html"],
    ]);
    const diff = await scene.call("GET", `${repo}/commits/work/diff?unidiff=true`);
    expect(
      diff.body.map((entry: { new_path: string; renamed_file: boolean }) => [
        entry.new_path,
        entry.renamed_file,
      ]),
    ).toEqual([
      ["bin/run", false],
      ["docs/a b.txt", true],
      ["index.html", false],
    ]);
    expect(diff.body[2].diff).toBe(
      "--- a/index.html\n+++ b/index.html\n@@ -1 +1 @@\n-<h1>hello</h1>\n+<h1>é</h1>\n",
    );
    const chmod = {
      branch: "work",
      commit_message: "m",
      actions: [{ action: "chmod", file_path: "bin/run", execute_filemode: false }],
    };
    expect((await scene.call("POST", `${repo}/commits`, chmod)).body.stats.total).toBe(0);
    expect((await scene.call("GET", `${repo}/files/bin%2Frun?ref=work`)).body.execute_filemode).toBe(false);
  });

  test("is refused in GitLab's words, and leaves nothing behind", async () => {
    const create = (path: string) => [{ action: "create", file_path: path, content: "x" }];
    expect(await commit({ actions: create("index.html") })).toEqual([
      400,
      "A file with this name already exists",
    ]);
    expect(await commit({ actions: create("index.html/x") })).toEqual([
      400,
      "A file with this name already exists",
    ]);
    expect(await commit({ actions: create("lib") })).toEqual([400, "A file with this name already exists"]);
    expect(await commit({ actions: create("../x") })).toEqual([
      400,
      "Path cannot include directory traversal",
    ]);
    expect(await commit({ actions: create(".git/config") })).toEqual([
      400,
      "Path cannot include directory traversal",
    ]);
    for (const action of ["update", "delete", "chmod"]) {
      const actions = [{ action, file_path: "none", content: "x" }];
      expect(await commit({ actions })).toEqual([400, "A file with this name doesn't exist"]);
    }
    const actions = create("new");
    expect(await commit({ actions, start_branch: "nowhere", branch: "b1" })).toEqual([
      400,
      "You can only create or edit files when you are on a branch",
    ]);
    const taken = "A branch called 'main' already exists. Switch to that branch in order to make changes";
    expect(await commit({ actions, start_sha: first })).toEqual([400, taken]);
    expect(await commit({ actions, start_branch: "work" })).toEqual([400, taken]);
    expect(await commit({ actions, branch: "b1", start_sha: "abc" })).toEqual([
      400,
      "Invalid start_sha 'abc'",
    ]);
    const zeros = "1".repeat(40);
    expect(await commit({ actions, branch: "b1", start_sha: zeros })).toEqual([
      400,
      `Cannot find start_sha '${zeros}'`,
    ]);
    expect(await commit({ actions, start_sha: first, start_branch: "main" })).toEqual([
      400,
      "start_branch, start_sha are mutually exclusive",
    ]);
    const stale = [{ action: "update", file_path: "index.html", content: "x", last_commit_id: zeros }];
    expect(await commit({ actions: stale })).toEqual([
      400,
      "You are attempting to update a file that has changed since you started editing it.",
    ]);
    expect(await said("POST", `${repo}/commits`, {})).toEqual([400, "400 Bad request - branch is required"]);
    expect((await scene.call("GET", `${repo}/branches/main`)).body.commit.id).toBe(first);
    expect((await scene.call("GET", `${repo}/branches/b1`)).status).toBe(404);
  });

  test("lists by ref, range, path, author and time, without totals", async () => {
    const titles = async (query: string) =>
      (await scene.call("GET", `${repo}/commits?${query}`)).body.map(
        (commit: { title: string }) => commit.title,
      );
    expect(await titles("ref_name=work&path=docs")).toEqual(["many"]);
    expect(await titles("ref_name=main..work&author=Bob")).toEqual(["many"]);
    expect(await titles("ref_name=work&until=2001-01-01T00:00:00Z")).toEqual([]);
    expect(await titles("ref_name=none")).toEqual([]);
    const page = await scene.call("GET", `${repo}/commits?all=true&with_stats=true&per_page=1`);
    expect(page.headers.get("x-total")).toBeNull();
    expect(page.body[0].stats).toBeDefined();
    expect(await said("GET", `${repo}/commits?since=never`)).toEqual([400, "since is invalid"]);
    expect(await said("GET", `${repo}/commits?ref_name=--output%3Dx`)).toEqual([400, "ref_name is invalid"]);
    expect(await said("GET", `${repo}/commits/--help`)).toEqual([404, "404 Commit Not Found"]);
    const refs = await scene.call("GET", `${repo}/commits/${first}/refs?type=branch`);
    expect(refs.body).toEqual([
      { type: "branch", name: "main" },
      { type: "branch", name: "work" },
    ]);
    expect((await scene.call("GET", `${repo}/commits/work/sequence`)).body).toEqual({ count: 3 });
    expect(await said("GET", `${repo}/commits/work/signature`)).toEqual([404, "404 Signature Not Found"]);
  });
});

describe("files", () => {
  const file = (path: string, query = "?ref=main") => `${repo}/files/${encodeURIComponent(path)}${query}`;

  test("raw, HEAD and blame", async () => {
    const head = await scene.call("HEAD", file("index.html"));
    expect([head.status, head.text, head.headers.get("x-gitlab-size")]).toEqual([200, "", "15"]);
    expect((await scene.call("GET", `${repo}/files/index.html/raw`)).text).toBe("<h1>hello</h1>\n");
    const blame = await scene.call("GET", `${repo}/files/index.html/blame?ref=main`);
    expect(blame.body).toMatchObject([{ commit: { id: first }, lines: ["<h1>hello</h1>"] }]);
    expect(await said("GET", `${repo}/files/index.html/blame?ref=main&range[start]=2&range[end]=1`)).toEqual([
      400,
      "range[start] must be less than or equal to range[end]",
    ]);
  });

  test("what is no file", async () => {
    expect(await said("GET", file("lib"))).toEqual([404, "404 File Not Found"]);
    expect(await said("GET", file("index.html", "?ref=none"))).toEqual([404, "404 Commit Not Found"]);
    expect(await said("GET", file("index.html", ""))).toEqual([400, "ref is missing"]);
    for (const path of ["../secret", "/etc/passwd", "a/../b", ".git/config"]) {
      expect(await said("GET", file(path))).toEqual([400, "file_path should be a valid file path"]);
    }
    const early = await scene.call("GET", file("a\0b"));
    expect([early.status, early.text]).toEqual([400, "Bad Request"]);
  });

  test("are written, updated and removed", async () => {
    const body = { branch: "main", commit_message: "m", content: "one\n" };
    expect(await said("POST", file('näw/ "x"', ""), body)).toEqual([
      201,
      { file_path: 'näw/ "x"', branch: "main" },
    ]);
    expect(await said("POST", file('näw/ "x"', ""), body)).toEqual([
      400,
      "A file with this name already exists",
    ]);
    expect(await said("PUT", file("none", ""), body)).toEqual([400, "A file with this name doesn't exist"]);
    expect(await said("PUT", file("index.html", ""), { branch: "main" })).toEqual([
      400,
      "400 Bad request - commit_message is required",
    ]);
    expect(
      (await scene.call("DELETE", file('näw/ "x"', ""), { branch: "main", commit_message: "gone" })).status,
    ).toBe(204);
    expect(await said("DELETE", file("index.html", ""), {})).toEqual([
      400,
      "branch is missing, commit_message is missing",
    ]);
    const dev = scene.sandbox.state.createUser({ username: "dev" });
    scene.sandbox.state.addMember(scene.project, dev, 30);
    expect(await said("PUT", file("index.html", ""), body, scene.tokenWith({ user: dev }))).toEqual([
      403,
      "403 Forbidden - You are not allowed to push into this branch",
    ]);
  });

  test("the first file of an empty project makes its branch", async () => {
    const empty = await scene.sandbox.state.createProject({ path: "acme/empty", owner: scene.ann });
    const at = `/projects/${empty.id}/repository`;
    expect(await said("GET", `${at}/tree`)).toEqual([404, "404 Tree Not Found"]);
    expect(await said("GET", `${at}/branches`)).toEqual([200, []]);
    const body = { branch: "trunk", commit_message: "m", content: "x" };
    expect((await scene.call("POST", `${at}/files/a`, body)).status).toBe(201);
    expect((await scene.call("GET", `/projects/${empty.id}`)).body.default_branch).toBe("trunk");
  });
});

describe("tree, blobs, compare, archive", () => {
  test("a tree in keyset pages", async () => {
    const page = await scene.call("GET", `${repo}/tree?ref=work&recursive=1&pagination=keyset&per_page=3`);
    const next = /<([^>]*)>; rel="next"/.exec(page.headers.get("link") ?? "")?.[1] ?? "";
    expect([page.body.length, page.headers.get("x-total")]).toEqual([3, null]);
    const rest = await scene.call("GET", next.slice(next.indexOf("/projects")));
    expect(rest.body.map((entry: { path: string }) => entry.path)).toEqual(["docs/a b.txt", "index.html"]);
    expect(rest.headers.get("link")).toBeNull();
    expect(await said("GET", `${repo}/tree?path=none`)).toEqual([
      404,
      "404 invalid revision or path Not Found",
    ]);
    expect(await said("GET", `${repo}/tree?path=../..`)).toEqual([
      404,
      "404 invalid revision or path Not Found",
    ]);
  });

  test("blobs by id", async () => {
    const { blob_id: id } = (await scene.call("GET", `${repo}/files/index.html?ref=main`)).body;
    expect((await scene.call("GET", `${repo}/blobs/${id}`)).body).toEqual({
      size: 15,
      encoding: "base64",
      content: "PGgxPmhlbGxvPC9oMT4K",
      sha: id,
    });
    expect((await scene.call("GET", `${repo}/blobs/${id}/raw`)).text).toBe("<h1>hello</h1>\n");
    expect(await said("GET", `${repo}/blobs/${first}`)).toEqual([404, "404 Blob Not Found"]);
  });

  test("compare, merge base, contributors", async () => {
    const compare = await scene.call("GET", `${repo}/compare?from=${first}&to=work`);
    expect(compare.body.commits.map((commit: { title: string }) => commit.title)).toEqual(["many", "m"]);
    expect(await said("GET", `${repo}/compare?from=none&to=work`)).toEqual([404, "404 Ref Not Found"]);
    const base = await scene.call("GET", `${repo}/merge_base?refs[]=main&refs[]=work`);
    expect(base.body.id).toBe(first);
    expect(await said("GET", `${repo}/merge_base?refs[]=main`)).toEqual([400, "Provide at least 2 refs"]);
    expect(await said("GET", `${repo}/merge_base?refs[]=main&refs[]=x`)).toEqual([
      400,
      "Could not find ref: x",
    ]);
    const people = await scene.call("GET", `${repo}/contributors?ref=work`);
    expect(people.body[0]).toMatchObject({ commits: 3, additions: 0, deletions: 0 });
  });

  test("archives in every format, and their limit", async () => {
    const get = (path: string) =>
      request(`${scene.sandbox.url}/api/v4${repo}/${path}`, { headers: { "PRIVATE-TOKEN": scene.token } });
    const answer = await get("archive?sha=work&path=docs");
    const head = (await scene.call("GET", `${repo}/branches/work`)).body.commit.id;
    expect(answer.headers["content-disposition"]).toBe(
      `attachment; filename="shop-work-${head}-docs.tar.gz"`,
    );
    const tar = gunzipSync(Buffer.from(await answer.body.arrayBuffer()));
    const listed = execFileSync("tar", ["-tf", "-"], { input: tar, encoding: "utf8" });
    expect(listed).toContain(`shop-work-${head}-docs/docs/a b.txt`);
    const zip = Buffer.from(await (await get(`archive.zip?sha=${first}`)).body.arrayBuffer());
    expect(zip.subarray(0, 2).toString()).toBe("PK");
    for (const path of ["archive.tar?sha=none", "archive?path=../..", "archive?sha=--help"]) {
      const refused = await get(path);
      expect([path, refused.statusCode, await refused.body.json()]).toEqual([
        path,
        404,
        { message: "404 File Not Found" },
      ]);
    }
    // The built-in `fetch` says `Sec-Fetch-Mode: cors`: GitLab takes it for a page of somebody else's.
    expect(await said("GET", `${repo}/archive`)).toEqual([406, "406 Not Acceptable"]);
    scene.sandbox.faults.archivesLimited = true;
    expect(await said("GET", `${repo}/archive`)).toEqual([
      429,
      { error: "This archive has been requested too many times. Try again later." },
    ]);
    scene.sandbox.faults.archivesLimited = false;
  });
});

test("a switched off repository is hidden by some endpoints and forbidden by the others", async () => {
  scene.project.repositoryEnabled = false;
  for (const path of ["branches", "commits", "tags"]) {
    expect(await said("GET", `${repo}/${path}`)).toEqual([404, "404 Repository Not Found"]);
  }
  for (const path of ["tree", "blobs/a", "compare?from=a&to=b", "files/a?ref=main"]) {
    expect(await said("GET", `${repo}/${path}`)).toEqual([403, "403 Forbidden"]);
  }
  scene.project.repositoryEnabled = true;
});

test.each([
  ["17.11.0", [400, "branch is missing, commit_message is missing, content is missing"]],
  ["18.0.0", [400, "400 Bad request - branch is required"]],
])("GitLab %s misses parameters of a new file in its own words", async (version, refusal) => {
  await using old = await openScene({ version });
  const { status, body } = await old.call("POST", `${repo}/files/new`, {});
  expect([status, body.error ?? body.message]).toEqual(refusal);
});

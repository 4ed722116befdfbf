import { randomBytes } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openScene, type Scene } from "./scene.suite.ts";

let scene: Scene;
beforeAll(async () => {
  scene = await openScene();
  await scene.git("clone", scene.remote(), "work");
});
afterAll(() => scene[Symbol.asyncDispose]());

async function head(branch = "main"): Promise<string> {
  return (await scene.call("GET", `/projects/1/repository/branches/${encodeURIComponent(branch)}`)).body
    .commit.id;
}

describe("git works", () => {
  test("clone, push, fetch and a shallow clone", async () => {
    expect((await scene.git("-C", "work", "commit", "--allow-empty", "-m", "two")).ok).toBe(true);
    const push = await scene.git("-C", "work", "push", "origin", "HEAD:main");
    expect(push.output).toContain("main");
    const local = (await scene.git("-C", "work", "rev-parse", "HEAD")).output.trim();
    expect(await head()).toBe(local);
    expect((await scene.git("clone", "--depth", "1", scene.remote(), "shallow")).ok).toBe(true);
    expect((await scene.git("-C", "shallow", "rev-list", "--count", "HEAD")).output.trim()).toBe("1");
  });

  test("a commit that is on no branch any more is fetched by its id, at depth 1", async () => {
    await scene.git("-C", "work", "switch", "-c", "lost");
    await scene.git("-C", "work", "commit", "--allow-empty", "-m", "lost");
    const lost = (await scene.git("-C", "work", "rev-parse", "HEAD")).output.trim();
    await scene.git("-C", "work", "push", "origin", "lost");
    await scene.git("-C", "work", "push", "origin", ":lost");
    await scene.git("init", "by-id");
    const fetch = await scene.git("-C", "by-id", "fetch", "--depth", "1", scene.remote(), lost);
    expect(fetch).toMatchObject({ ok: true });
    expect((await scene.git("-C", "by-id", "rev-parse", "FETCH_HEAD")).output.trim()).toBe(lost);
    await scene.git("-C", "work", "switch", "main");
  });

  test("protocol v2 and a filtered clone", async () => {
    const clone = await scene.git(
      "-c",
      "protocol.version=2",
      "clone",
      "--filter=blob:none",
      "--no-checkout",
      scene.remote(),
      "partial",
    );
    expect(clone.ok).toBe(true);
    const missing = await scene.git("-C", "partial", "rev-list", "--objects", "--missing=print", "--all");
    expect(missing.output).toContain("?");
  });

  test("a push larger than git's buffer comes in pieces, and a gzipped request is understood", async () => {
    await scene.git("-C", "work", "switch", "-c", "big");
    const folder = (await scene.git("-C", "work", "rev-parse", "--show-toplevel")).output.trim();
    await writeFile(`${folder}/big.bin`, randomBytes(3 * 1024 * 1024));
    await scene.git("-C", "work", "add", ".");
    await scene.git("-C", "work", "commit", "-m", "big");
    expect((await scene.git("-C", "work", "push", "origin", "big")).ok).toBe(true);
    await scene.git("-C", "work", "switch", "main");
    const ask = (encoded: Buffer | string, headers: Record<string, string>) =>
      fetch(`${scene.sandbox.url}/acme/shop.git/git-upload-pack`, {
        method: "POST",
        headers: {
          Authorization: `Basic ${btoa(`x:${scene.token}`)}`,
          "Content-Type": "application/x-git-upload-pack-request",
          "Git-Protocol": "version=2",
          ...headers,
        },
        body: typeof encoded === "string" ? encoded : new Uint8Array(encoded),
      }).then((response) => response.text());
    const plain = await ask("0014command=ls-refs\n0000", {});
    expect(plain).toContain("refs/heads/main");
    expect(await ask(gzipSync("0014command=ls-refs\n0000"), { "Content-Encoding": "gzip" })).toBe(plain);
  });

  test("two pushes at once both arrive", async () => {
    await scene.git("clone", scene.remote(), "other");
    await scene.git("-C", "other", "switch", "-c", "side-a");
    await scene.git("-C", "work", "switch", "-c", "side-b");
    const both = await Promise.all([
      scene.git("-C", "other", "push", "origin", "side-a"),
      scene.git("-C", "work", "push", "origin", "side-b"),
    ]);
    expect(both.map((one) => one.ok)).toEqual([true, true]);
    await scene.git("-C", "work", "switch", "main");
    expect(await head("side-a")).toMatch(/^[0-9a-f]{40}$/);
  });
});

describe("who may what, in GitLab's words", () => {
  const info = (service: string, path: string, token: string | null) =>
    fetch(`${scene.sandbox.url}/${path}.git/info/refs?service=git-${service}`, {
      headers: token === null ? {} : { Authorization: `Basic ${btoa(`x:${token}`)}` },
    });
  const said = async (service: string, path: string, token: string | null) => {
    const response = await info(service, path, token);
    return [response.status, (await response.text()).slice(0, 60)];
  };

  test("credentials that do not do are all answered alike, with a challenge", async () => {
    const blocked = scene.sandbox.state.createUser({ username: "blocked", condition: "blocked" });
    const dead = [
      "wrong",
      scene.tokenWith({ revoked: true }),
      scene.tokenWith({ expiresAt: "2020-01-01" }),
      scene.tokenWith({ user: blocked }),
      null,
    ];
    for (const token of dead) {
      const response = await info("upload-pack", "acme/shop", token);
      expect(response.status).toBe(401);
      expect(response.headers.get("www-authenticate")).toBe('Basic realm="GitLab"');
      expect(await response.text()).toMatch(/^HTTP Basic: Access denied\. If a password was provided/);
    }
  });

  test("Bearer is no way in", async () => {
    const response = await fetch(`${scene.sandbox.url}/acme/shop.git/info/refs?service=git-upload-pack`, {
      headers: { Authorization: `Bearer ${scene.token}` },
    });
    expect(response.status).toBe(401);
  });

  test("scopes", async () => {
    const read = scene.tokenWith({ scopes: ["read_repository"] });
    const user = scene.tokenWith({ scopes: ["read_user"] });
    expect((await said("upload-pack", "acme/shop", read))[0]).toBe(200);
    expect(await said("receive-pack", "acme/shop", read)).toEqual([
      403,
      "You are not allowed to upload code.",
    ]);
    expect(await said("upload-pack", "acme/shop", user)).toEqual([
      403,
      "You are not allowed to download code.",
    ]);
    expect(
      (await said("receive-pack", "acme/shop", scene.tokenWith({ scopes: ["write_repository"] })))[0],
    ).toBe(200);
    expect((await said("upload-pack", "nobody/x", read))[0]).toBe(404);
  });

  test("roles", async () => {
    const bob = scene.sandbox.state.createUser({ username: "bob" });
    const token = scene.tokenWith({ user: bob });
    expect(await said("upload-pack", "acme/shop", token)).toEqual([
      404,
      "The project you were looking for could not be found or you d",
    ]);
    scene.sandbox.state.addMember(scene.project, bob, 10);
    expect(await said("upload-pack", "acme/shop", token)).toEqual([
      403,
      "You are not allowed to download code from this project.",
    ]);
    scene.sandbox.state.addMember(scene.project, bob, 20);
    expect((await said("upload-pack", "acme/shop", token))[0]).toBe(200);
    expect(await said("receive-pack", "acme/shop", token)).toEqual([
      403,
      "You are not allowed to push code to this project.",
    ]);
    scene.sandbox.state.addMember(scene.project, bob, 30);
    const push = await scene.git(
      "-C",
      "work",
      "push",
      scene.remote("acme/shop", token),
      "HEAD:refs/heads/main",
    );
    expect(push).toMatchObject({ ok: true });
    await scene.git("-C", "work", "commit", "--allow-empty", "-m", "by bob");
    const refused = await scene.git(
      "-C",
      "work",
      "push",
      scene.remote("acme/shop", token),
      "HEAD:refs/heads/main",
    );
    expect(refused.output).toContain(
      "GitLab: You are not allowed to push code to protected branches on this project.",
    );
    const allowed = await scene.git(
      "-C",
      "work",
      "push",
      scene.remote("acme/shop", token),
      "HEAD:refs/heads/bobs",
    );
    expect(allowed.ok).toBe(true);
  });

  test("archived projects, protected and default branches", async () => {
    await scene.git("-C", "work", "commit", "--amend", "--allow-empty", "-m", "rewritten");
    await scene.git("-C", "work", "reset", "--soft", "HEAD~1");
    await scene.git(
      "-C",
      "work",
      "commit",
      "--allow-empty",
      "-m",
      "other history",
      "--date=2020-01-01T00:00:00Z",
    );
    await scene.git("-C", "work", "push", "origin", "HEAD:main");
    await scene.git("-C", "work", "commit", "--amend", "--allow-empty", "-m", "yet another");
    const forced = await scene.git("-C", "work", "push", "--force", "origin", "HEAD:main");
    expect(forced.output).toContain(
      "GitLab: You are not allowed to force push code to a protected branch on this project.",
    );
    const removed = await scene.git("-C", "work", "push", "origin", ":main");
    expect(removed.output).toContain("GitLab: The default branch of a project cannot be deleted.");
    scene.project.archived = true;
    const archived = await scene.git("-C", "work", "push", "origin", "HEAD:refs/heads/late");
    expect(archived.output).toContain("You can't push code to an archived project.");
    scene.project.archived = false;
  });

  test("names of branches that are no names, and refs that are no branches", async () => {
    const hex = "a".repeat(40);
    const push = await scene.git("-C", "work", "push", "origin", `HEAD:refs/heads/${hex}`);
    expect(push.output).toContain("40-character hexadecimal branch name");
    expect((await scene.git("-C", "work", "push", "origin", "HEAD:refs/keep-around/x")).ok).toBe(false);
    expect((await scene.git("-C", "work", "push", "origin", "HEAD:refs/merge-requests/1/head")).ok).toBe(
      false,
    );
  });

  test("HEAD is refused with nothing, and no path leads out of the repositories", async () => {
    const url = `${scene.sandbox.url}/acme/shop.git/info/refs?service=git-upload-pack`;
    const response = await fetch(url, { method: "HEAD" });
    expect(response.status).toBe(403);
    for (const path of ["..%2f1", "%2e%2e/1", "acme/../1", "1", "acme/shop.git/objects"]) {
      expect((await said("upload-pack", path, scene.token))[0]).not.toBe(200);
    }
    const dumb = await fetch(`${scene.sandbox.url}/acme/shop.git/config`, {
      headers: { Authorization: `Basic ${btoa(`x:${scene.token}`)}` },
    });
    expect(dumb.status).toBe(404);
  });

  test.each([
    ["13.5.0", "HTTP Basic: Access denied\n"],
    [
      "16.11.0",
      "HTTP Basic: Access denied. The provided password or token is incorrect or your account has 2FA",
    ],
  ])("GitLab %s denies in its own words", async (version, words) => {
    await using old = await openScene({ version });
    const response = await fetch(`${old.sandbox.url}/acme/shop.git/info/refs?service=git-upload-pack`);
    expect((await response.text()).startsWith(words)).toBe(true);
  });
});

describe("projects by push", () => {
  test("a push to a path that does not exist makes a private project, and its branch becomes the default", async () => {
    const push = await scene.git("-C", "work", "push", scene.remote("ann/by-push"), "HEAD:refs/heads/trunk");
    expect(push).toMatchObject({ ok: true });
    const { body } = await scene.call("GET", "/projects/ann%2Fby-push");
    expect([body.visibility, body.default_branch, body.empty_repo]).toEqual(["private", "trunk", false]);
  });

  test("a namespace that does not exist is not made", async () => {
    const push = await scene.git("-C", "work", "push", scene.remote("nowhere/x"), "HEAD:main");
    expect(push.output).toContain("The namespace you were looking for could not be found.");
    expect(scene.sandbox.rows.projectsByPath.has("nowhere/x")).toBe(false);
  });
});

test("a public project may be cloned by everyone, but not with a bad token", async () => {
  await scene.sandbox.state.createProject({ path: "acme/open", files: { a: "a" }, visibility: "public" });
  const url = `${scene.sandbox.url}/acme/open.git`;
  expect((await scene.git("clone", url, "open")).ok).toBe(true);
  const bad = await fetch(`${url}/info/refs?service=git-upload-pack`, {
    headers: { Authorization: `Basic ${btoa("x:bad")}` },
  });
  expect(bad.status).toBe(401);
  expect((await scene.git("-C", "open", "push", url, "HEAD:refs/heads/x")).ok).toBe(false);
});

test("a slowed clone lasts, and the sandbox ends in the middle of it without leaving a process", async () => {
  const slow = await openScene();
  const files = { "blob.bin": randomBytes(400_000) };
  await slow.sandbox.state.commit(slow.project, files);
  slow.sandbox.faults.git.bytesPerSecond = 200_000;
  const started = performance.now();
  expect((await slow.git("clone", slow.remote(), "w")).ok).toBe(true);
  expect(performance.now() - started).toBeGreaterThan(1500);
  slow.sandbox.faults.git.bytesPerSecond = 1000;
  const cut = slow.git("clone", slow.remote(), "cut");
  const root = slow.sandbox.url;
  await expect.poll(() => gitProcesses("http-backend").length, { timeout: 10_000 }).toBeGreaterThan(0);
  await slow[Symbol.asyncDispose]();
  expect((await cut).ok).toBe(false);
  await expect.poll(() => gitProcesses("http-backend").length, { timeout: 10_000 }).toBe(0);
  await expect(fetch(root)).rejects.toThrow("fetch failed");
});

/** Command lines of this test's own descendants that hold a word; Linux only, elsewhere none. */
function gitProcesses(word: string): string[] {
  const found: string[] = [];
  for (const entry of process.platform === "linux" ? readdirSync("/proc") : []) {
    if (!/^\d+$/.test(entry)) continue;
    try {
      const line = readFileSync(`/proc/${entry}/cmdline`, "utf8");
      const parent = /PPid:\s+(\d+)/.exec(readFileSync(`/proc/${entry}/status`, "utf8"))?.[1];
      if (line.includes(word) && parent === String(process.pid)) found.push(line);
    } catch {
      // it ended while we looked
    }
  }
  return found;
}

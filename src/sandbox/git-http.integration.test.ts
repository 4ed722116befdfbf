import { randomBytes } from "node:crypto";
import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import { connect } from "node:net";
import { request } from "undici";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openScene, type Scene } from "./scene.suite.ts";
import { changeKnobs } from "./control/set-knobs.ts";

let scene: Scene;
beforeAll(async () => {
  scene = await openScene();
  await scene.git("clone", scene.remote(), "work");
});
afterAll(() => scene[Symbol.asyncDispose]());

interface Said {
  readonly status: number;
  readonly text: string;
  readonly challenge: string | undefined;
  readonly location: string | undefined;
}

async function ask(
  path: string,
  token: string | null = scene.token,
  options: { readonly method?: "GET" | "POST" | "HEAD"; readonly base?: string } = {},
): Promise<Said> {
  const { method = "GET", base = scene.sandbox.url } = options;
  const headers = token === null ? {} : { authorization: `Basic ${btoa(`any:${token}`)}` };
  const { statusCode, headers: got, body } = await request(base + path, { method, headers });
  const one = (name: string): string | undefined => [got[name]].flat()[0];
  return {
    status: statusCode,
    text: await body.text(),
    challenge: one("www-authenticate"),
    location: one("location"),
  };
}

const FETCH = "/acme/shop.git/info/refs?service=git-upload-pack";
const PUSH = "/acme/shop.git/info/refs?service=git-receive-pack";

async function pushNow(branch: string, remote = scene.remote()): Promise<string> {
  await scene.git("-C", "work", "commit", "--allow-empty", "-m", branch);
  return (await scene.git("-C", "work", "push", remote, `HEAD:refs/heads/${branch}`)).output;
}

describe("addresses", () => {
  test("without .git there is a redirect, whether or not there is a project", async () => {
    for (const path of ["acme/shop", "no/such"]) {
      const { status, location } = await ask(`/${path}/info/refs?service=git-upload-pack`, null);
      expect([status, location]).toEqual([
        301,
        `${scene.sandbox.url}/${path}.git/info/refs?service=git-upload-pack`,
      ]);
    }
    const clone = await scene.git("clone", scene.remote().replace(/\.git$/, ""), "suffixless");
    expect(clone).toMatchObject({ ok: true });
    expect(clone.output).toContain("warning: redirecting to");
    expect((await ask("/acme/shop/git-upload-pack", scene.token, { method: "POST" })).status).toBe(404);
  });

  test("the dumb protocol is not spoken", async () => {
    expect((await ask("/acme/shop.git/info/refs", null)).status).toBe(401);
    const refused = await ask("/acme/shop.git/info/refs");
    expect([refused.status, refused.text]).toEqual([
      403,
      "The command you're trying to execute is not allowed.",
    ]);
    expect((await ask("/acme/shop.git/info/refs?service=git-upload-archive")).status).toBe(403);
    for (const file of ["HEAD", "config", "objects/info/packs", "objects/../config"]) {
      expect([file, (await ask(`/acme/shop.git/${file}`)).status]).toEqual([file, 404]);
    }
  });

  test("HEAD is refused with nothing at all", async () => {
    expect(await ask(FETCH, scene.token, { method: "HEAD" })).toMatchObject({ status: 403, text: "" });
  });

  test("names with dots, another case, and a moved project", async () => {
    await scene.sandbox.state.createProject({ path: "acme/shop.js", owner: scene.ann, files: { a: "a" } });
    expect((await scene.git("ls-remote", scene.remote("acme/shop.js"))).output).toContain("refs/heads/main");
    expect((await ask("/ACME/Shop.git/info/refs?service=git-upload-pack")).status).toBe(200);
    scene.sandbox.rows.formerPaths.set("old/shop", 1);
    const output = await pushNow("moved", scene.remote("old/shop"));
    expect(output).toContain("remote: Project 'old/shop' was moved to 'acme/shop'.");
    expect(output).toContain(`remote:   git remote set-url origin ${scene.sandbox.url}/acme/shop.git`);
    expect(await pushNow("unmoved")).not.toContain("was moved");
  });

  test("a submodule with a relative address is cloned from beside", async () => {
    await scene.sandbox.state.createProject({ path: "acme/part", owner: scene.ann, files: { p: "p" } });
    const allow = ["-c", "protocol.allow=always"];
    await scene.git("-C", "work", ...allow, "submodule", "add", "../part.git", "part");
    await pushNow("with-part");
    const clone = await scene.git(
      ...allow,
      "clone",
      "--recurse-submodules",
      "--branch=with-part",
      scene.remote(),
      "whole",
    );
    expect(clone).toMatchObject({ ok: true });
    expect((await scene.git("-C", "whole/part", "log", "--format=%s")).output).toBe("Initial commit\n");
    const { body } = await scene.call("GET", "/projects/1/repository/tree?ref=with-part");
    expect(body.at(-1)).toMatchObject({ type: "commit", mode: "160000", path: "part" });
  });
});

describe("refusals", () => {
  test("of the settings: git only by SSH, no passwords", async () => {
    changeKnobs(scene.sandbox, { settings: { enabledGitAccessProtocol: "ssh" } });
    expect(await ask(FETCH)).toMatchObject({ status: 403, text: "Git access over HTTP is not allowed" });
    changeKnobs(scene.sandbox, {
      settings: { enabledGitAccessProtocol: "all", passwordAuthenticationForGit: false },
    });
    expect(await ask(FETCH, "wrong")).toMatchObject({ status: 401, challenge: undefined });
    changeKnobs(scene.sandbox, { settings: { passwordAuthenticationForGit: true } });
    expect(await ask(FETCH, "wrong")).toMatchObject({ status: 401, challenge: 'Basic realm="GitLab"' });
  });

  test("of the world around: read-only, maintenance, moving storages, Gitaly away", async () => {
    const under = async (faults: object, path: string) => {
      changeKnobs(scene.sandbox, { faults });
      const { status, text } = await ask(path);
      changeKnobs(scene.sandbox, {
        faults: {
          readOnly: false,
          maintenance: false,
          git: { repositoriesReadOnly: false, gitalyDown: false },
        },
      });
      return [status, text];
    };
    expect(await under({ readOnly: true }, PUSH)).toEqual([
      403,
      "You can't push code to a read-only GitLab instance.",
    ]);
    expect((await under({ readOnly: true }, FETCH))[0]).toBe(200);
    expect(await under({ maintenance: true }, PUSH)).toEqual([
      403,
      "Git push is not allowed because this GitLab instance is currently in (read-only) maintenance mode.",
    ]);
    expect(await under({ git: { repositoriesReadOnly: true } }, PUSH)).toEqual([
      403,
      "The repository is temporarily read-only. Please try again later.",
    ]);
    expect(await under({ git: { gitalyDown: true } }, FETCH)).toEqual([
      503,
      "The git server, Gitaly, is not available at this time. Please contact your administrator.",
    ]);
  });

  test("on a full disk a push fails half-way and changes nothing", async () => {
    scene.sandbox.faults.git.diskFull = true;
    const output = await pushNow("full");
    scene.sandbox.faults.git.diskFull = false;
    expect(output).toContain("remote: fatal: write error: No space left on device");
    expect(output).toMatch(/\[remote rejected\]|unpack/);
    expect((await scene.call("GET", "/projects/1/repository/branches/full")).status).toBe(404);
    expect(await pushNow("full")).toContain("new branch");
  });

  test("states of a user: some cannot log in, others are told why", async () => {
    const eve = scene.sandbox.state.createUser({ username: "eve" });
    scene.sandbox.state.addMember(scene.project, eve, 30);
    const token = scene.tokenWith({ user: eve });
    for (const condition of [
      "blocked",
      "ldap_blocked",
      "banned",
      "unconfirmed",
      "password_expired",
      "pending_approval",
    ] as const) {
      eve.condition = condition;
      expect([condition, (await ask(FETCH, token)).status]).toEqual([condition, 401]);
    }
    eve.condition = "deactivated";
    const told = await ask(FETCH, token);
    expect([told.status, told.text]).toEqual([
      403,
      `Your account has been deactivated by your administrator. Please log back in from a web browser to reactivate your account at ${scene.sandbox.url}`,
    ]);
  });

  test("a project's token is not even known to another project", async () => {
    const other = await scene.sandbox.state.createProject({
      path: "acme/closed",
      owner: scene.ann,
      files: { a: "a" },
    });
    const bot = scene.sandbox.state.createUser({ username: "project_1_bot", bot: true });
    scene.sandbox.state.addMember(scene.project, bot, 40);
    const token = scene.tokenWith({ user: bot });
    expect((await ask(FETCH, token)).status).toBe(200);
    expect((await ask(`/${other.fullPath}.git/info/refs?service=git-upload-pack`, token)).status).toBe(401);
  });

  test("repository off: nobody reads, nobody writes, anonymous people are asked for a token", async () => {
    scene.project.repositoryEnabled = false;
    scene.project.visibility = "public";
    const all = [await ask(FETCH, null), await ask(FETCH), await ask(PUSH)];
    scene.project.repositoryEnabled = true;
    scene.project.visibility = "private";
    expect(all.map(({ status, text }) => [status, status === 401 ? "" : text])).toEqual([
      [401, ""],
      [403, "You are not allowed to download code from this project."],
      [403, "You are not allowed to push code to this project."],
    ]);
  });

  test("LFS is refused as where it is switched off, after the credentials", async () => {
    const batch = "/acme/shop.git/info/lfs/objects/batch";
    expect((await ask(batch, null, { method: "POST" })).status).toBe(401);
    const { status, text } = await ask(batch, scene.token, { method: "POST" });
    expect([status, JSON.parse(text)]).toEqual([
      501,
      {
        message: "Git LFS is not enabled on this GitLab server, contact your admin.",
        documentation_url: `${scene.sandbox.url}/help`,
      },
    ]);
  });

  test("push-to-create happens on info/refs already, and only where the user may", async () => {
    const at = "/ann/probe.git/info/refs?service=git-receive-pack";
    expect((await ask(at, scene.tokenWith({ scopes: ["read_repository"] }))).status).toBe(403);
    expect(scene.sandbox.rows.projectsByPath.has("ann/probe")).toBe(false);
    expect((await ask(at)).status).toBe(200);
    expect(scene.sandbox.rows.projectsByPath.get("ann/probe")).toMatchObject({
      visibility: "private",
      emptyRepo: true,
    });
    expect((await ask("/root/x.git/info/refs?service=git-receive-pack")).status).toBe(404);
    expect((await ask("/ann/x$.git/info/refs?service=git-receive-pack")).status).toBe(422);
  });
});

describe("hostile pushes", () => {
  test("refs named like options, and names that only look like branches", async () => {
    await scene.git("-C", "work", "update-ref", "refs/heads/--upload-pack=id", "HEAD");
    const push = await scene.git(
      "-C",
      "work",
      "push",
      "origin",
      "refs/heads/--upload-pack=id:refs/heads/--upload-pack=id",
    );
    const { body } = await scene.call("GET", "/projects/1/repository/branches?search=upload-pack");
    expect([push.ok, body.map((branch: { name: string }) => branch.name)]).toEqual([
      true,
      ["--upload-pack=id"],
    ]);
    expect((await scene.call("GET", "/projects/1/repository/tree?ref=--upload-pack%3Did")).status).toBe(200);
    const meta = await scene.git("-C", "work", "push", "origin", "HEAD:refs/meta/config");
    expect(meta.ok).toBe(false);
  });

  test("a symbolic link out of the repository stays what git says it is", async () => {
    await scene.git("-C", "work", "config", "core.symlinks", "false");
    const blob = "/etc/passwd";
    const made = await scene.call("POST", "/projects/1/repository/files/link", {
      branch: "links",
      start_branch: "main",
      commit_message: "m",
      content: blob,
    });
    expect(made.status).toBe(201);
    await scene.git("-C", "work", "fetch", "origin", "links");
    await scene.git("-C", "work", "checkout", "-q", "FETCH_HEAD");
    const id = (await scene.git("-C", "work", "rev-parse", "HEAD:link")).output.trim();
    await scene.git("-C", "work", "update-index", "--cacheinfo", `120000,${id},link`);
    await pushNow("links");
    const raw = await scene.call("GET", "/projects/1/repository/files/link/raw?ref=links");
    expect([raw.status, raw.text]).toEqual([200, blob]);
    expect((await scene.call("GET", "/projects/1/repository/files/link%2Fx?ref=links")).status).toBe(404);
    expect((await scene.call("GET", "/projects/1/repository/archive?sha=links")).status).toBe(406);
  });

  test("a pack that is no pack, and one that is broken off, leave the repository as it was", async () => {
    const before = (await scene.git("ls-remote", scene.remote())).output;
    const line = `${"0".repeat(40)} ${"1".repeat(40)} refs/heads/evil\0 report-status`;
    const packet = `${(line.length + 4).toString(16).padStart(4, "0")}${line}0000`;
    for (const pack of [
      Buffer.from("nonsense"),
      Buffer.concat([Buffer.from("PACK\0\0\0\u0002\0\0\0\u0001"), randomBytes(100)]),
    ]) {
      const { statusCode, body } = await request(`${scene.sandbox.url}/acme/shop.git/git-receive-pack`, {
        method: "POST",
        headers: {
          authorization: `Basic ${btoa(`any:${scene.token}`)}`,
          "content-type": "application/x-git-receive-pack-request",
        },
        body: Buffer.concat([Buffer.from(packet), pack]),
      });
      expect([statusCode, await body.text()]).toEqual([200, expect.stringContaining("unpack")]);
    }
    expect((await scene.git("ls-remote", scene.remote())).output).toBe(before);
    expect(await pushNow("after-evil")).toContain("new branch");
  });

  test("a client that goes in the middle of a push holds nobody up", async () => {
    const { hostname, port } = new URL(scene.sandbox.url);
    const socket = connect(Number(port), hostname);
    const head = [
      "POST /acme/shop.git/git-receive-pack HTTP/1.1",
      "Host: gitlab",
      `Authorization: Basic ${btoa(`any:${scene.token}`)}`,
      "Content-Type: application/x-git-receive-pack-request",
      "Content-Length: 1000",
    ];
    socket.write(`${head.join("\r\n")}\r\n\r\n00a0`);
    await expect.poll(() => receivers(), { timeout: 10_000 }).not.toEqual([]);
    socket.destroy();
    expect(await pushNow("next")).toContain("new branch");
  });
});

test.each([
  [
    "10.5.0",
    "HTTP Basic: Access denied\nYou must use a personal access token with 'api' scope for Git over HTTP.\nYou can generate one at <base>/profile/personal_access_tokens",
  ],
  [
    "13.12.0",
    "HTTP Basic: Access denied\nYou must use a personal access token with 'read_repository' or 'write_repository' scope for Git over HTTP.\nYou can generate one at <base>/-/profile/personal_access_tokens",
  ],
  [
    "17.11.0",
    "HTTP Basic: Access denied. The provided password or token is incorrect or your account has 2FA enabled and you must use a personal access token instead of a password. See <base>/help/topics/git/troubleshooting_git#error-on-git-fetch-http-basic-access-denied",
  ],
  [
    "19.5.0",
    "HTTP Basic: Access denied. If a password was provided for Git authentication, the password was incorrect or you're required to use a token instead of a password. If a token was provided, it was either incorrect, expired, or improperly scoped. See <base>/help/topics/git/troubleshooting_git.md#error-on-git-fetch-http-basic-access-denied",
  ],
])("GitLab %s, without passwords for git, denies without a challenge", async (version, words) => {
  await using old = await openScene({ version });
  old.sandbox.settings.passwordAuthenticationForGit = false;
  const { status, text, challenge } = await ask(FETCH, "wrong", { base: old.sandbox.url });
  expect([status, text, challenge]).toEqual([401, words.replace("<base>", old.sandbox.url), undefined]);
});

/** Programs of git that take a push into a sandbox; Linux only, elsewhere one that is none. */
function receivers(): string[] {
  if (process.platform !== "linux") return ["unknown"];
  const found: string[] = [];
  for (const entry of readdirSync("/proc").filter((name) => /^\d+$/.test(name))) {
    try {
      const line = readFileSync(`/proc/${entry}/cmdline`, "utf8");
      const folder = readlinkSync(`/proc/${entry}/cwd`);
      if (line.includes("receive-pack") && folder.includes("fairlead-sandbox-")) found.push(line);
    } catch {
      // it ended while we looked
    }
  }
  return found;
}

import { execFileSync, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { createServer } from "node:http";
import { join } from "node:path";
import { Gitlab } from "@gitbeaker/rest";
import { expect, test } from "vitest";
import { openScene, type Scene } from "../../src/sandbox/scene.suite.ts";

// Clients that others wrote know GitLab from their own users: what they trip over, ours would too.

const KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl ann@laptop";

/** A receiver that keeps the events it was told of. */
async function openReceiver(): Promise<AsyncDisposable & { url: string; events: string[] }> {
  const events: string[] = [];
  const server = createServer((request, response) => {
    events.push(String(request.headers["x-gitlab-event"]));
    response.end("ok");
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  return {
    url: `http://127.0.0.1:${port}/hook`,
    events,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** Five projects more than `acme/shop`, so that lists have pages. */
async function openShops(): Promise<Scene & { ids: readonly number[] }> {
  const scene = await openScene();
  const ids = [scene.project.id];
  for (let number = 1; number <= 5; number++) {
    ids.push((await scene.sandbox.state.createProject({ path: `acme/shop-${number}`, owner: scene.ann })).id);
  }
  return { ...scene, ids };
}

test("@gitbeaker/rest works against it", async () => {
  await using scene = await openShops();
  await using receiver = await openReceiver();
  const client = new Gitlab({ host: scene.sandbox.url, token: scene.token });
  const offset = await client.Projects.all({ membership: true, perPage: 2 });
  expect(offset.map(({ id }) => id)).toEqual(scene.ids.toReversed());
  const keyset = await client.Projects.all({
    membership: true,
    pagination: "keyset",
    orderBy: "id",
    sort: "asc",
    perPage: 2,
  });
  expect(keyset.map(({ id }) => id)).toEqual([...scene.ids]);

  const hook = await client.ProjectHooks.add("acme/shop", receiver.url, { pushEvents: true });
  await scene.call("POST", `/projects/1/hooks/${hook.id}/test/push_events`); // gitbeaker has no word for it
  expect(receiver.events).toEqual(["Push Hook"]);

  const key = await client.DeployKeys.create("acme/shop", "deploy", KEY, { canPush: false });
  expect(key.title).toBe("deploy");
  const file = await client.RepositoryFiles.show("acme/shop", "lib/a.txt", "main");
  expect(Buffer.from(file.content, "base64").toString()).toBe("a\n");
  const branch = await client.Branches.show("acme/shop", "main");
  const status = await client.Commits.editStatus("acme/shop", branch.commit.id, "success", {
    name: "gitbeaker",
  });
  expect(status.status).toBe("success");
  const made = await client.Projects.create({ name: "By Gitbeaker" });
  expect(made.path_with_namespace).toBe("ann/by-gitbeaker");
  const rotated = await client.PersonalAccessTokens.rotate("self");
  expect(rotated["token"]).toMatch(/^glpat-/);
  await expect(client.Users.showCurrentUser()).rejects.toThrow("invalid_token");
});

/** Debian installs the package for its own Python alone. */
const PYTHON = ["/usr/bin/python3", "/usr/local/bin/python3"].find(
  (path) => existsSync(path) && hasGitlab(path),
);

function hasGitlab(python: string): boolean {
  try {
    execFileSync(python, ["-c", "import gitlab"], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}

test.skipIf(PYTHON === undefined)(
  "python-gitlab works against it (skipped without python3-gitlab)",
  async () => {
    await using scene = await openShops();
    await using receiver = await openReceiver();
    const script = join(import.meta.dirname, "clients/python_gitlab.py");
    const answer = await runWith(scene.token, PYTHON ?? "", [script, scene.sandbox.url, receiver.url, KEY]);
    expect(answer.stderr).toBe("");
    expect(JSON.parse(answer.stdout)).toEqual({
      user: "ann",
      byOffset: scene.ids.toReversed(),
      byKeyset: scene.ids,
      hooks: [receiver.url],
      deployKey: "deploy",
      content: "a\n",
      status: "success",
      made: "ann/by-python",
      rotated: true,
    });
    expect(receiver.events).toEqual(["Push Hook"]);
  },
);

/** The token goes through standard input: arguments are for everybody to see. */
function runWith(input: string, file: string, words: string[]): Promise<{ stdout: string; stderr: string }> {
  const child = spawn(file, words, { stdio: "pipe" });
  const out = { stdout: "", stderr: "" };
  child.stdout.on("data", (piece: Buffer) => (out.stdout += piece.toString()));
  child.stderr.on("data", (piece: Buffer) => (out.stderr += piece.toString()));
  child.stdin.end(`${input}\n`);
  return new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("close", () => resolve(out));
  });
}

test("git clones, pushes, clones shallow and follows a submodule", async () => {
  await using scene = await openScene();
  const { sandbox, ann } = scene;
  await sandbox.state.createProject({ path: "acme/library", owner: ann, files: { "lib.txt": "library\n" } });
  await sandbox.state.commit(scene.project, { "second.txt": "2\n" });
  const good = async (...words: string[]): Promise<string> => {
    const { ok, output } = await scene.git(...words);
    expect({ ok, output }).toMatchObject({ ok: true });
    return output;
  };
  await good("clone", scene.remote(), "shop");
  await good("-C", "shop", "submodule", "add", "../library.git", "vendor/library");
  await good("-C", "shop", "commit", "--message", "Use the library");
  await good("-C", "shop", "push", "origin", "HEAD:main");
  const commits = (await scene.call("GET", "/projects/1/repository/commits")).body;
  expect(commits[0].title).toBe("Use the library");

  await good("clone", "--depth", "1", scene.remote(), "shallow");
  expect((await good("-C", "shallow", "rev-list", "--count", "HEAD")).trim()).toBe("1");
  await good("-C", "shallow", "fetch", "--unshallow");
  expect((await good("-C", "shallow", "rev-list", "--count", "HEAD")).trim()).toBe("3");
  await good("clone", "--recurse-submodules", scene.remote(), "whole");
  expect(await good("-C", "whole/vendor/library", "show", "HEAD:lib.txt")).toBe("library\n");
});

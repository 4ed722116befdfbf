import { execFile } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync } from "node:fs";
import { readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openScene, type Scene } from "../scene.suite.ts";
import { createClient, missingForSsh, type Client } from "./ssh.suite.ts";

const run = promisify(execFile);
const folder = mkdtempSync(join(tmpdir(), "sandbox-ssh-"));
const missing = await missingForSsh(folder);
if (missing !== null) process.stdout.write(`SSH tests are skipped: ${missing}\n`);

const NO_PROJECT =
  "The project you were looking for could not be found or you don't have permission to view it.";
const framed = (text: string): string =>
  ["", "=".repeat(72), "", text, "", "=".repeat(72), ""].map((line) => `remote: ${line}\n`).join("");

describe.skipIf(missing !== null)("SSH", () => {
  let scene: Scene;
  let ann: Client;
  let deploy: Client;
  let stranger: Client;
  const port = (): number => scene.sandbox.ssh?.port ?? 0;
  const url = (path = "acme/shop"): string => `ssh://git@127.0.0.1:${port()}/${path}.git`;
  const git = async (client: Client, ...words: string[]) => {
    const env = { PATH: process.env["PATH"], HOME: folder, GIT_SSH_COMMAND: client.command, LC_ALL: "C" };
    const who = ["-c", "user.name=Ann", "-c", "user.email=ann@example.com"];
    try {
      const { stdout, stderr } = await run("git", [...who, ...words], { cwd: folder, env });
      return { ok: true, output: stdout + stderr };
    } catch (error) {
      return { ok: false, output: String(Object(error).stderr) };
    }
  };

  beforeAll(async () => {
    scene = await openScene({ ssh: true });
    ann = await createClient(folder, "ann");
    deploy = await createClient(folder, "deploy");
    stranger = await createClient(folder, "stranger");
    scene.sandbox.state.addSshKey(scene.ann, ann.publicKey);
    scene.sandbox.state.addDeployKey(scene.project, deploy.publicKey);
    await git(ann, "clone", url(), "work");
  });
  afterAll(async () => {
    await scene[Symbol.asyncDispose]();
    await rm(folder, { recursive: true, force: true });
  });

  test("the address of a project names the port, and leads there", async () => {
    const { body } = await scene.call("GET", "/projects/1");
    expect(body.ssh_url_to_repo).toBe(url());
    expect((await git(ann, "ls-remote", body.ssh_url_to_repo)).output).toContain("refs/heads/main");
  });

  test("greets users by name, and deploy keys as nobody in particular", async () => {
    expect(await ann.ssh(port(), "-T")).toEqual({ code: 0, out: "Welcome to GitLab, @ann!\n", err: "" });
    expect((await deploy.ssh(port())).out).toBe("Welcome to GitLab, Anonymous!\n");
  });

  test("an unknown key is refused by sshd itself, and so is every other user and way in", async () => {
    const denied = await stranger.ssh(port(), "-T");
    expect([denied.code, denied.err]).toEqual([255, "git@127.0.0.1: Permission denied (publickey).\r\n"]);
    const root = run("ssh", [...ann.words, "-p", String(port()), "root@127.0.0.1"]);
    await expect(root).rejects.toThrow("root@127.0.0.1: Permission denied (publickey)");
  });

  test("a push moves the branch, and its hooks are told", async () => {
    expect((await git(ann, "-C", "work", "commit", "--allow-empty", "-m", "by ssh")).ok).toBe(true);
    const push = await git(ann, "-C", "work", "push", "origin", "HEAD:refs/heads/by-ssh");
    expect(push).toMatchObject({ ok: true });
    const local = (await git(ann, "-C", "work", "rev-parse", "HEAD")).output.trim();
    const { body } = await scene.call("GET", "/projects/1/repository/branches/by-ssh");
    expect(body.commit.id).toBe(local);
  });

  test.each(["0", "1", "2"])("protocol version %s, shallow and partial", async (version) => {
    const words = ["-c", `protocol.version=${version}`, "clone", "--depth=1", "--filter=blob:none"];
    const clone = await git(ann, ...words, url(), `clone-${version}`);
    expect(clone).toMatchObject({ ok: true });
  });

  test("git archive --remote works, other commands do not", async () => {
    const archive = await git(ann, "archive", `--remote=${url()}`, "--output=shop.tar", "main");
    expect(archive).toEqual({ ok: true, output: "" });
    expect((await stat(join(folder, "shop.tar"))).size).toBeGreaterThan(1000);
    const commands = [
      "ls",
      "git-upload-pack",
      "git-upload-pack a b",
      "git-upload-pack 'open",
      "git-upload-pack a; id",
      "git-lfs-authenticate acme/shop.git steal",
    ];
    const answers = await Promise.all(commands.map((command) => ann.ssh(port(), command)));
    const disallowed = { code: 1, out: "", err: "Disallowed command\n" };
    expect(answers).toEqual(commands.map(() => disallowed));
  });

  test("no path leads out of the repositories", async () => {
    const paths = [
      "../../etc",
      "1",
      "1.git",
      "acme/../acme/shop",
      "--upload-pack=id/x",
      "acme/shop.git/x",
      "$(id)/x",
    ];
    const answers = await Promise.all(paths.map((path) => ann.ssh(port(), `git-upload-pack '${path}'`)));
    expect(answers).toEqual(paths.map(() => ({ code: 1, out: "", err: framed(NO_PROJECT) })));
  });

  test("a deploy key opens its own project only, and to read only unless it may write", async () => {
    await scene.sandbox.state.createProject({ path: "acme/other", owner: scene.ann, files: { a: "a" } });
    expect((await git(deploy, "ls-remote", url())).ok).toBe(true);
    const other = await deploy.ssh(port(), "git-upload-pack 'acme/other.git'");
    expect(other.err).toBe(framed(NO_PROJECT));
    const refused = await git(deploy, "-C", "work", "push", url(), "HEAD:refs/heads/by-key");
    expect(refused.output).toContain("remote: This deploy key does not have write access to this project.\n");
    expect(refused.output).toContain("fatal: Could not read from remote repository.");
    const writer = await createClient(folder, "writer");
    scene.sandbox.state.addDeployKey(scene.project, writer.publicKey, { canPush: true });
    const allowed = await git(writer, "-C", "work", "push", url(), "HEAD:refs/heads/by-key");
    expect(allowed).toMatchObject({ ok: true });
  });

  test("keys expire, users are blocked, and roles count", async () => {
    const old = await createClient(folder, "old");
    const bob = scene.sandbox.state.createUser({ username: "bob" });
    scene.sandbox.state.addSshKey(bob, old.publicKey, { expiresAt: "2020-01-01T00:00:00Z" });
    const said = async (client: Client, command: string) => (await client.ssh(port(), command)).err;
    expect(await said(old, "git-upload-pack acme/shop.git")).toBe(framed("Your SSH key has expired."));
    const young = await createClient(folder, "young");
    scene.sandbox.state.addSshKey(bob, young.publicKey);
    expect(await said(young, "git-upload-pack acme/shop.git")).toBe(framed(NO_PROJECT));
    scene.sandbox.state.addMember(scene.project, bob, 10);
    expect(await said(young, "git-upload-pack acme/shop.git")).toBe(
      framed("You are not allowed to download code from this project."),
    );
    scene.sandbox.state.addMember(scene.project, bob, 20);
    expect(await said(young, "git-receive-pack acme/shop.git")).toBe(
      framed("You are not allowed to push code to this project."),
    );
    bob.condition = "blocked";
    expect(await said(young, "git-upload-pack acme/shop.git")).toBe(framed("Your account has been blocked."));
  });

  test("protected branches refuse as over HTTP", async () => {
    const dev = await createClient(folder, "dev");
    const user = scene.sandbox.state.createUser({ username: "dev" });
    scene.sandbox.state.addSshKey(user, dev.publicKey);
    scene.sandbox.state.addMember(scene.project, user, 30);
    const push = await git(dev, "-C", "work", "push", url(), "HEAD:refs/heads/main");
    expect(push.output).toContain(
      "remote: GitLab: You are not allowed to push code to protected branches on this project.",
    );
  });

  test("the host key stays, until the knob changes it", async () => {
    const host = (key: string): string => `[127.0.0.1]:${port()} ${key}\n`;
    const careful = await createClient(folder, "careful", { strict: true });
    scene.sandbox.state.addSshKey(scene.ann, careful.publicKey);
    const { usual, changed } = scene.sandbox.ssh?.hostKeys ?? { usual: "", changed: "" };
    await writeFile(careful.knownHosts, host(usual));
    expect((await careful.ssh(port(), "-T")).code).toBe(0);
    scene.sandbox.faults.ssh.changedHostKey = true;
    const refused = await careful.ssh(port(), "-T");
    expect([refused.code, refused.err]).toEqual([
      255,
      expect.stringContaining("REMOTE HOST IDENTIFICATION HAS CHANGED"),
    ]);
    await writeFile(careful.knownHosts, host(changed));
    expect((await careful.ssh(port(), "-T")).code).toBe(0);
    scene.sandbox.faults.ssh.changedHostKey = false;
  });

  test("settings and knobs: SSH off, Gitaly down, maintenance, archived, full disk, LFS", async () => {
    const { settings, faults } = scene.sandbox;
    const said = async (command: string) => (await ann.ssh(port(), command)).err;
    settings.enabledGitAccessProtocol = "http";
    expect(await said("git-upload-pack acme/shop.git")).toBe(framed("Git access over SSH is not allowed"));
    settings.enabledGitAccessProtocol = "all";
    faults.git.gitalyDown = true;
    expect(await said("git-upload-pack acme/shop.git")).toContain("The git server, Gitaly, is not available");
    faults.git.gitalyDown = false;
    faults.maintenance = true;
    expect(await said("git-receive-pack acme/shop.git")).toContain("(read-only) maintenance mode.");
    faults.maintenance = false;
    scene.project.archived = true;
    expect(await said("git-receive-pack acme/shop.git")).toBe(
      framed("You can't push code to an archived project."),
    );
    scene.project.archived = false;
    faults.git.diskFull = true;
    await git(ann, "-C", "work", "commit", "--allow-empty", "-m", "too much");
    const push = await git(ann, "-C", "work", "push", "origin", "HEAD:refs/heads/full");
    expect(push.output).toContain("remote: fatal: write error: No space left on device");
    faults.git.diskFull = false;
    const lfs = await ann.ssh(port(), "git-lfs-authenticate acme/shop.git upload");
    expect(lfs).toEqual({ code: 0, out: "", err: "" });
  });

  test("a moved project is served under its old path, with a hint", async () => {
    scene.sandbox.rows.formerPaths.set("old/shop", 1);
    const fetch = await git(ann, "ls-remote", url("old/shop"));
    expect(fetch.output).toContain("Project 'old/shop' was moved to 'acme/shop'.");
    const push = await git(ann, "-C", "work", "push", url("old/shop"), "HEAD:refs/heads/moved");
    expect(push.output).toContain(`git remote set-url origin ${url()}`);
  });

  test("a client that is killed in the middle leaves no process and no lock", async () => {
    const cut = new AbortController();
    const env = { PATH: process.env["PATH"], HOME: folder, GIT_SSH_COMMAND: ann.command };
    scene.sandbox.faults.git.bytesPerSecond = 10;
    const clone = run("git", ["clone", url(), "cut"], { cwd: folder, env, signal: cut.signal }).catch(
      (error: unknown) => error,
    );
    await expect.poll(() => programs("upload-pack"), { timeout: 10_000 }).not.toEqual([]);
    cut.abort();
    await clone;
    await expect.poll(() => programs("upload-pack"), { timeout: 10_000 }).toEqual([]);
    scene.sandbox.faults.git.bytesPerSecond = null;
    expect((await git(ann, "ls-remote", url())).ok).toBe(true);
  });
});

describe.skipIf(missing !== null)("other SSH sandboxes", () => {
  test("before 12.4 a refusal has GitLab's name in front and no frame", async () => {
    await using scene = await openScene({ ssh: true, version: "12.3.0" });
    const client = await createClient(mkdtempSync(join(tmpdir(), "sandbox-ssh-")), "eve");
    scene.sandbox.state.addSshKey(scene.ann, client.publicKey);
    const { err } = await client.ssh(scene.sandbox.ssh?.port ?? 0, "git-upload-pack no/such.git");
    expect(err).toBe(`GitLab: ${NO_PROJECT}\n`);
  });

  test("host keys stay in a data folder; nothing is left of a sandbox that ended", async () => {
    const dataDir = mkdtempSync(join(tmpdir(), "sandbox-ssh-"));
    const first = await openScene({ ssh: true, dataDir: join(dataDir, "a") });
    const key = first.sandbox.ssh?.hostKeys.usual;
    expect(await readFile(join(dataDir, "a/ssh/ssh_host_ed25519_key.pub"), "utf8")).toContain(key);
    const port = first.sandbox.ssh?.port ?? 0;
    await first[Symbol.asyncDispose]();
    expect(programs(`${dataDir}/a`)).toEqual([]);
    await expect(run("ssh", ["-p", String(port), "127.0.0.1"])).rejects.toThrow("Connection refused");
    await rm(dataDir, { recursive: true, force: true });
  });

  test("a machine without sshd is told what to install", async () => {
    await expect(openScene({ ssh: true, searchPath: "/nowhere" })).rejects.toThrow(/git|openssh-server/);
  });
});

/** Command lines on this machine that hold a word and a temporary folder; Linux only, elsewhere none. */
function programs(word: string): string[] {
  const found: string[] = [];
  for (const entry of process.platform === "linux" ? readdirSync("/proc") : []) {
    if (!/^\d+$/.test(entry)) continue;
    try {
      const line = readFileSync(`/proc/${entry}/cmdline`, "utf8");
      if (line.includes(word) && line.includes("fairlead-sandbox-")) found.push(line);
    } catch {
      // it ended while we looked
    }
  }
  return found;
}

import { execFileSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { existsSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { createSourceFixture, treeDifferences, type SourceFixture } from "../../test/support/git-source.ts";
import { waitUntil } from "../kernel/retry.ts";
import { openSource } from "./open.ts";

let fixture: SourceFixture;
beforeEach(async () => {
  fixture = await createSourceFixture();
});
afterEach(async () => {
  await fixture[Symbol.asyncDispose]();
});

/** Does not shrink: what is sent is what is asked for. */
const noise = (kilobytes: number): string => randomBytes(kilobytes * 512).toString("hex");
const mirrorFolder = (): string => {
  const folder = join(fixture.dataDir, "source/mirrors");
  return join(folder, readdirSync(folder)[0] ?? "none");
};

/** Processes that know of this fixture's folder: ours, whoever their parent is by now. */
function gitProcesses(): string[] {
  return readdirSync("/proc").flatMap((pid) => {
    try {
      const words = readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " ");
      const environ = readFileSync(`/proc/${pid}/environ`, "utf8");
      return environ.includes("FAIRLEAD_GIT=") && environ.includes(fixture.folder) ? [`${pid} ${words}`] : [];
    } catch {
      return [];
    }
  });
}

describe("the network", () => {
  test("one small fetch for a push, none for a commit that is there, all of history only when filled", async () => {
    const history = [1, 2, 3].map((round) =>
      fixture.repository.commit({ [`big${round}`]: noise(200), small: `${round}` }),
    );
    const [first = "", , third = ""] = history;
    const old = fixture.repository.commit({ big1: null, big2: null, big3: null });
    fixture.repository.git(["update-ref", "refs/heads/main", old]);
    await fixture.checkOut(old);
    expect(fixture.server.sent()).toBeLessThan(20_000);
    const next = fixture.repository.commit({ small: "next" });
    const before = fixture.server.sent();
    await fixture.checkOut(next);
    expect(fixture.server.sent() - before).toBeLessThan(5_000);
    const asked = fixture.server.seen.length;
    await fixture.checkOut(old);
    expect(fixture.server.seen.length).toBe(asked);

    await fixture.source.fillMirror(fixture.remote, AbortSignal.timeout(30_000));
    expect(fixture.server.sent()).toBeGreaterThan(300_000);
    const filled = fixture.server.seen.length;
    await fixture.checkOut(first);
    await fixture.checkOut(third);
    await fixture.source.fillMirror(fixture.remote, AbortSignal.timeout(30_000));
    expect(fixture.server.seen.length).toBe(filled);
    const later = fixture.repository.commit({ small: "later" });
    const whole = fixture.server.sent();
    await fixture.checkOut(later);
    expect(fixture.server.sent() - whole).toBeLessThan(5_000);
    expect(existsSync(join(mirrorFolder(), "shallow"))).toBe(false);
  });

  test("several workspaces that want the same new commit fetch it once and check out at the same time", async () => {
    const commit = fixture.repository.commit({ a: noise(50) });
    const workspaces = [1, 2, 3, 4].map((number) => join(fixture.folder, `workspace-${number}`));
    await Promise.all(workspaces.map((workspace) => fixture.checkOut(commit, { workspace })));
    for (const workspace of workspaces) {
      expect(treeDifferences(fixture.repository, commit, workspace)).toEqual([]);
    }
    expect(fixture.server.seen.filter(({ method }) => method === "POST")).toHaveLength(1);
  });

  test("forgets a mirror, and begins anew", async () => {
    const commit = fixture.repository.commit({ a: "a" });
    await fixture.checkOut(commit);
    await fixture.source.forget(fixture.remote.key);
    await fixture.source.forget(fixture.remote.key);
    expect(readdirSync(join(fixture.dataDir, "source/mirrors"))).toEqual([]);
    await fixture.checkOut(commit);
    expect(treeDifferences(fixture.repository, commit, fixture.workspace)).toEqual([]);
  });

  test("many fetches leave a bounded number of packs and refs", async () => {
    for (let round = 0; round < 42; round++) {
      await fixture.checkOut(fixture.repository.commit({ a: `${round}` }));
    }
    await fixture.source.fillMirror(fixture.remote, AbortSignal.timeout(60_000));
    const packs = readdirSync(join(mirrorFolder(), "objects/pack")).filter((name) => name.endsWith(".pack"));
    expect(packs.length).toBeLessThan(10);
    const refs = execFileSync("git", ["--git-dir", mirrorFolder(), "for-each-ref"], { encoding: "utf8" });
    expect(refs.trim().split("\n").length).toBeLessThanOrEqual(40);
  });
});

test("an abort during a fetch leaves no process, says so, and the next attempt works", async () => {
  const commit = fixture.repository.commit({ a: noise(400) });
  fixture.server.bytesPerSecond = 100_000;
  const abort = new AbortController();
  const running = fixture.checkOut(commit, { signal: abort.signal });
  const ended = running.catch((error: unknown) => error);
  await waitUntil(() => fixture.server.sent() > 60_000, { everyMs: 5, signal: AbortSignal.timeout(20_000) });
  expect(gitProcesses()).not.toEqual([]);
  abort.abort(new Error("superseded"));
  expect(await ended).toMatchObject({ code: "CANCELLED" });
  expect(gitProcesses()).toEqual([]);
  fixture.server.bytesPerSecond = null;
  await fixture.checkOut(commit);
  expect(treeDifferences(fixture.repository, commit, fixture.workspace)).toEqual([]);
  const garbage = readdirSync(join(mirrorFolder(), "objects/pack")).filter((name) => name.startsWith("tmp"));
  expect(garbage).toEqual([]);
});

test("a deadline of the caller is a timeout, not a wish", async () => {
  const commit = fixture.repository.commit({ a: noise(400) });
  fixture.server.bytesPerSecond = 50_000;
  await expect(fixture.checkOut(commit, { signal: AbortSignal.timeout(700) })).rejects.toMatchObject({
    code: "GIT_FAILED",
    reason: "timeout",
    retryable: true,
  });
});

test("a deployment interrupts a fill, and the fill ends afterwards", async () => {
  fixture.repository.commit({ a: noise(600) });
  const first = fixture.repository.commit({ a: "small" });
  await fixture.checkOut(first);
  fixture.server.bytesPerSecond = 300_000;
  const fill = fixture.source.fillMirror(fixture.remote, AbortSignal.timeout(50_000));
  const before = fixture.server.sent();
  await waitUntil(() => fixture.server.sent() > before + 60_000, {
    everyMs: 5,
    signal: AbortSignal.timeout(20_000),
  });
  const second = fixture.repository.commit({ a: "other" });
  fixture.server.bytesPerSecond = null;
  await fixture.checkOut(second);
  expect(treeDifferences(fixture.repository, second, fixture.workspace)).toEqual([]);
  await fill;
  expect(existsSync(join(mirrorFolder(), "fairlead-whole"))).toBe(true);
});

describe("what can be wrong", () => {
  test.each([
    ["ext::sh -c id", "INVALID_URL"],
    ["file:///etc", "INVALID_URL"],
    ["--upload-pack=id", "INVALID_URL"],
    ["ssh://git@host/x.git", "INVALID_URL"],
    ["https://user:password@host/x.git", "INVALID_URL"],
  ])("the address %s is refused", async (url, code) => {
    const commit = fixture.repository.commit({ a: "a" });
    await expect(fixture.checkOut(commit, { remote: { ...fixture.remote, url } })).rejects.toMatchObject({
      code,
    });
  });

  test.each(["main", "--help", "HEAD", "a".repeat(39), "A".repeat(40), `${"a".repeat(40)}\n`, ""])(
    "the commit %j is refused",
    async (commit) => {
      await expect(fixture.checkOut(commit)).rejects.toMatchObject({ code: "BAD_REQUEST" });
      expect(fixture.server.seen).toEqual([]);
    },
  );

  test("a commit the server does not have, a repository it does not have, nobody there", async () => {
    const missing = "1".repeat(40);
    fixture.repository.commit({ a: "a" });
    await expect(fixture.checkOut(missing)).rejects.toMatchObject({
      code: "GIT_FAILED",
      reason: "commit_missing",
    });
    const elsewhere = { ...fixture.remote, url: `${fixture.server.origin}/group/other.git` };
    await expect(fixture.checkOut(missing, { remote: elsewhere })).rejects.toMatchObject({
      code: "GIT_NOT_FOUND",
    });
    const nobody = { ...fixture.remote, url: "http://127.0.0.1:1/x.git" };
    await expect(fixture.checkOut(missing, { remote: nobody })).rejects.toMatchObject({
      code: "UNREACHABLE",
      reason: "refused",
      retryable: true,
    });
  });

  test("a connection that breaks off in the middle", async () => {
    const commit = fixture.repository.commit({ a: noise(200) });
    fixture.server.breakAfter = 50_000;
    await expect(fixture.checkOut(commit)).rejects.toMatchObject({ code: "UNREACHABLE", reason: "reset" });
    fixture.server.breakAfter = null;
    await fixture.checkOut(commit);
    expect(treeDifferences(fixture.repository, commit, fixture.workspace)).toEqual([]);
  });

  test("no git, or an old one", async () => {
    const options = { dataDir: fixture.dataDir };
    await expect(openSource({ ...options, gitPath: "no-such-git" })).rejects.toMatchObject({
      code: "RUNTIME_UNAVAILABLE",
    });
    const old = join(fixture.folder, "git");
    writeFileSync(old, "#!/bin/sh\necho git version 2.17.1\n", { mode: 0o755 });
    await expect(openSource({ ...options, gitPath: old })).rejects.toThrow("git 2.17.1 is too old");
  });
});

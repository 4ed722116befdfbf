import { execFileSync, spawnSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { existsSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { inspect } from "node:util";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { startGitServer } from "../../test/support/git-server.ts";
import {
  createSourceFixture,
  TEST_TOKEN,
  treeDifferences,
  type SourceFixture,
} from "../../test/support/git-source.ts";
import { findInFiles, findInText, huntLeaks } from "../../test/support/leak-hunter.ts";
import { waitUntil } from "../kernel/retry.ts";
import { Secret } from "../kernel/secret.ts";
import { openSource } from "./open.ts";

let fixture: SourceFixture;
beforeEach(async () => {
  fixture = await createSourceFixture();
});
afterEach(async () => {
  await fixture[Symbol.asyncDispose]();
});

const SECRETS = [TEST_TOKEN, Buffer.from(`oauth2:${TEST_TOKEN}`).toString("base64")];
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

describe("the token", () => {
  test("is found nowhere while a slowed fetch runs, nor afterwards", async () => {
    const commit = fixture.repository.commit({ a: noise(300) });
    fixture.server.bytesPerSecond = 400_000;
    const hunt = await huntLeaks({ secrets: SECRETS });
    await fixture.checkOut(commit);
    await fixture.source.fillMirror(fixture.remote, AbortSignal.timeout(30_000));
    const wrong = new Secret(`${TEST_TOKEN}-wrong`);
    const refused = fixture.repository.commit({ a: "b" });
    const fault: unknown = await fixture
      .checkOut(refused, { remote: { ...fixture.remote, token: wrong } })
      .catch((error) => error);
    const report = await hunt.stop();
    expect(fault).toMatchObject({ code: "GIT_AUTH_FAILED" });
    expect(report.leaks).toEqual([]);
    expect(report.sweeps).toBeGreaterThan(50);
    expect(await findInFiles([fixture.dataDir, fixture.workspace], SECRETS)).toEqual([]);
    expect(
      findInText(inspect(fault, { depth: 20, showHidden: true }) + fixture.lines.join("\n"), SECRETS),
    ).toEqual([]);
    expect(fixture.server.seen.some(({ authorization }) => authorization?.includes(SECRETS[1] ?? "x"))).toBe(
      true,
    );
    expect(readFileSync(join(mirrorFolder(), "config"), "utf8")).not.toContain("url");
    expect(existsSync(join(mirrorFolder(), "FETCH_HEAD"))).toBe(false);
  });

  test("does not come back in words of a server that repeats what it was sent", async () => {
    const commit = fixture.repository.commit({ a: "a" });
    fixture.server.answer = ({ headers }) =>
      headers.authorization
        ? {
            status: 403,
            body: `no: ${headers.authorization} ${TEST_TOKEN} ${encodeURIComponent(TEST_TOKEN)} \u001B[31mred`,
          }
        : null;
    const fault: unknown = await fixture.checkOut(commit).catch((error) => error);
    expect(fault).toMatchObject({
      code: "GIT_FAILED",
      evidence: { words: expect.stringContaining("[secret]") },
    });
    const told =
      inspect(fault, { depth: 20, showHidden: true }) + JSON.stringify(fault) + fixture.lines.join("\n");
    expect(findInText(told, SECRETS)).toEqual([]);
    expect(fixture.lines.join("\n")).toContain("[secret]");
    expect(fixture.lines.join("\n")).not.toContain("\u001B");
  });

  test.each([301, 302, 307, 308])("does not follow a redirect (%i) to another host", async (status) => {
    const commit = fixture.repository.commit({ a: "a" });
    await using other = await startGitServer({ root: join(fixture.folder, "repositories"), token: null });
    for (const when of ["before", "after"]) {
      fixture.server.answer = ({ url, headers }) =>
        when === "before" || headers.authorization
          ? { status, headers: { location: `${other.origin}${url}` } }
          : null;
      await expect(fixture.checkOut(commit)).rejects.toMatchObject({
        code: "REDIRECTED",
        reason: "other_host",
      });
    }
    fixture.server.answer = ({ method, url }) =>
      method === "POST" ? { status, headers: { location: `${other.origin}${url}` } } : null;
    await expect(fixture.checkOut(commit)).rejects.toMatchObject({ code: "REDIRECTED" });
    expect(other.seen).toEqual([]);
  });

  test("goes to no other host that asks for one, and a token with a line break goes nowhere", async () => {
    const commit = fixture.repository.commit({ a: "a" });
    const token = new Secret("glpat-x\nusername=evil");
    await expect(fixture.checkOut(commit, { remote: { ...fixture.remote, token } })).rejects.toMatchObject({
      code: "GIT_AUTH_FAILED",
    });
    expect(fixture.server.seen).toEqual([]);
  });
});

test("an abort during a fetch leaves no process, says so, and the next attempt works", async () => {
  const commit = fixture.repository.commit({ a: noise(400) });
  fixture.server.bytesPerSecond = 100_000;
  const abort = new AbortController();
  const running = fixture.checkOut(commit, { signal: abort.signal });
  const ended = expect(running).rejects.toMatchObject({ code: "CANCELLED" });
  await waitUntil(() => fixture.server.sent() > 60_000, { everyMs: 5, signal: AbortSignal.timeout(20_000) });
  expect(gitProcesses()).not.toEqual([]);
  abort.abort(new Error("superseded"));
  await ended;
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

const hasOpenssl = spawnSync("openssl", ["version"]).status === 0;
if (!hasOpenssl) console.warn("skipped: openssl is not installed, so there is no certificate to test with");

describe("trust", () => {
  test.skipIf(!hasOpenssl)(
    "a certificate of one's own: refused with the reason, accepted when given",
    async () => {
      const [key, cert] = [join(fixture.folder, "key.pem"), join(fixture.folder, "cert.pem")];
      const subject = ["-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1"];
      const kind = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"];
      execFileSync("openssl", ["req", "-x509", ...kind, ...subject, "-keyout", key, "-out", cert], {
        stdio: "ignore",
      });
      const tls = { key: readFileSync(key, "utf8"), cert: readFileSync(cert, "utf8") };
      await using server = await startGitServer({
        root: join(fixture.folder, "repositories"),
        token: TEST_TOKEN,
        tls,
      });
      const commit = fixture.repository.commit({ a: "a" });
      const remote = { ...fixture.remote, url: `${server.origin}/group/project.git` };
      await expect(fixture.checkOut(commit, { remote })).rejects.toMatchObject({
        code: "TLS_UNTRUSTED",
        reason: "self_signed",
      });
      await fixture.checkOut(commit, { remote: { ...remote, ca: tls.cert } });
      expect(treeDifferences(fixture.repository, commit, fixture.workspace)).toEqual([]);
    },
  );
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

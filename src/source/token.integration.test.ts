import { execFileSync, spawnSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { existsSync, readFileSync, readdirSync } from "node:fs";
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
import { Secret } from "../kernel/secret.ts";

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

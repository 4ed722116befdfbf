import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { inspect } from "node:util";
import { afterEach, beforeEach, expect, test } from "vitest";
import { tlsFixture } from "../../test/support/answering-server.ts";
import { startGitServer } from "../../test/support/git-server.ts";
import {
  createSourceFixture,
  TEST_TOKEN,
  treeDifferences,
  type SourceFixture,
} from "../../test/support/git-source.ts";
import { findInFiles, findInText, huntLeaks } from "../../test/support/leak-hunter.ts";
import { startProxy } from "../../test/support/proxy-server.ts";
import { Secret } from "../kernel/secret.ts";
import type { Remote } from "./source.ts";

let fixture: SourceFixture;
beforeEach(async () => {
  fixture = await createSourceFixture();
});
afterEach(async () => {
  await fixture[Symbol.asyncDispose]();
});

const PASSWORD = "pr0xyPassw0rd";
const GATE = "g4te-h3ader-value";
const KEY = tlsFixture("client-key.pem").split("\n")[1] ?? "";
const SECRETS = [TEST_TOKEN, PASSWORD, Buffer.from(`amy:${PASSWORD}`).toString("base64"), GATE, KEY];

/** The same repository behind TLS that asks for a certificate, under a name that only the proxy knows. */
async function startGuarded() {
  const server = await startGitServer({
    root: join(fixture.folder, "repositories"),
    token: TEST_TOKEN,
    tls: {
      key: tlsFixture("server-key.pem"),
      cert: tlsFixture("trusted.pem"),
      ca: tlsFixture("client.pem"),
      requestCert: true,
      rejectUnauthorized: true,
    },
  });
  server.answer = (request) => (request.headers["x-gate"] === GATE ? null : { status: 403, body: "gate" });
  return server;
}

const remoteAt = (url: string, way: NonNullable<Remote["way"]>): Remote => ({
  ...fixture.remote,
  url,
  ca: tlsFixture("ca.pem"),
  way,
});

test("git goes through proxy and gate with its certificate, and no secret of them is found anywhere", async () => {
  const commit = fixture.repository.commit({ a: randomBytes(100_000).toString("hex") });
  await using server = await startGuarded();
  const port = Number(new URL(server.origin).port);
  server.bytesPerSecond = 400_000;
  await using proxy = await startProxy({ credentials: `amy:${PASSWORD}`, target: port });
  const path = new URL(fixture.remote.url).pathname;
  const remote = remoteAt(`https://localhost:9${path}`, {
    proxy: new Secret(proxy.url.replace("//", `//amy:${PASSWORD}@`)),
    clientCertificate: {
      certificate: tlsFixture("client.pem"),
      key: new Secret(tlsFixture("client-key.pem")),
    },
    headers: { "x-gate": new Secret(GATE) },
  });
  const hunt = await huntLeaks({ secrets: SECRETS });
  await fixture.checkOut(commit, { remote });
  await fixture.source.fillMirror(remote, AbortSignal.timeout(30_000));
  const report = await hunt.stop();
  expect(treeDifferences(fixture.repository, commit, fixture.workspace)).toEqual([]);
  expect(report.leaks).toEqual([]);
  expect(report.sweeps).toBeGreaterThan(20);
  expect(await findInFiles([fixture.dataDir, fixture.workspace], SECRETS)).toEqual([]);
  expect(proxy.asked.length).toBeGreaterThan(0);
  expect(new Set(proxy.asked.map(({ line }) => line))).toEqual(new Set(["CONNECT localhost:9"]));
});

test.each([
  ["a proxy that wants another sign-in", { credentials: "amy:other" }, "UNREACHABLE", "proxy"],
  ["a proxy that forbids", { status: 403 }, "UNREACHABLE", "proxy"],
])("%s is the proxy's trouble, and its password is in no word of it", async (_, options, code, reason) => {
  const commit = fixture.repository.commit({ a: "1" });
  await using proxy = await startProxy(options);
  const remote = remoteAt("https://localhost:9/shop/web.git", {
    proxy: new Secret(proxy.url.replace("//", `//amy:${PASSWORD}@`)),
  });
  const fault: unknown = await fixture.checkOut(commit, { remote }).catch((error: unknown) => error);
  expect(fault).toMatchObject({ code, reason });
  expect(
    findInText(inspect(fault, { depth: 20, showHidden: true }) + fixture.lines.join("\n"), SECRETS),
  ).toEqual([]);
});

test("headers stay with the remote's origin, values with quotes and backslashes whole", async () => {
  const commit = fixture.repository.commit({ a: "1" });
  const value = 'a "quoted\\ value; # not a comment';
  const seen: (string | undefined)[] = [];
  fixture.server.answer = (request) => {
    seen.push(request.headers["x-gate"]?.toString());
    return null;
  };
  const remote = { ...fixture.remote, way: { proxy: null, headers: { "x-gate": new Secret(value) } } };
  await fixture.checkOut(commit, { remote });
  expect(seen.length).toBeGreaterThan(0);
  expect(new Set(seen)).toEqual(new Set([value]));
});

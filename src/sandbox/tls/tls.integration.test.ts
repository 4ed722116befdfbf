import { X509Certificate } from "node:crypto";
import { readFile } from "node:fs/promises";
import { request } from "node:https";
import { isIP } from "node:net";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { changeKnobs, replaceKnobs } from "../control/set-knobs.ts";
import { openScene, type Scene } from "../scene.suite.ts";

let scene: Scene;
let ca: string;
beforeAll(async () => {
  scene = await openScene({ tls: true });
  ca = scene.sandbox.certificates?.ca ?? "";
});
afterAll(() => scene[Symbol.asyncDispose]());
beforeEach(() => replaceKnobs(scene.sandbox, {}));

interface Trust {
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
  readonly servername?: string;
}

/** Status and body, or the code of what went wrong in TLS. */
function ask(path: string, trust: Trust): Promise<{ status: number; body: string } | string> {
  return new Promise((resolve) => {
    const headers = { "PRIVATE-TOKEN": scene.token };
    const call = request(`${scene.sandbox.url}${path}`, { headers, agent: false, ...trust }, (response) => {
      let body = "";
      response.setEncoding("utf8").on("data", (piece: string) => (body += piece));
      response.on("end", () => resolve({ status: response.statusCode ?? 0, body }));
    });
    call.on("error", (error) => resolve("code" in error ? String(error.code) : error.message));
    call.end();
  });
}

const certificate = (kind: "good" | "expired" | "wrong_name" | "self_signed"): void =>
  changeKnobs(scene.sandbox, { faults: { certificate: kind } });

describe("a private CA", () => {
  test("trusted it works, by address and by name; untrusted it does not", async () => {
    expect(scene.sandbox.url).toMatch(/^https:\/\/127\.0\.0\.1:\d+$/);
    expect(await ask("/api/v4/user", { ca })).toMatchObject({ status: 200 });
    expect(await ask("/api/v4/user", { ca, servername: "localhost" })).toMatchObject({ status: 200 });
    expect(await ask("/api/v4/user", {})).toBe("UNABLE_TO_VERIFY_LEAF_SIGNATURE");
  });

  test("each kind of bad certificate, changed while it runs", async () => {
    certificate("expired");
    expect(await ask("/api/v4/user", { ca })).toBe("CERT_HAS_EXPIRED");
    certificate("wrong_name");
    expect(await ask("/api/v4/user", { ca })).toBe("ERR_TLS_CERT_ALTNAME_INVALID");
    certificate("self_signed");
    expect(await ask("/api/v4/user", { ca })).toBe("DEPTH_ZERO_SELF_SIGNED_CERT");
    certificate("good");
    expect(await ask("/api/v4/user", { ca })).toMatchObject({ status: 200 });
  });

  test("the CA is told at /-/sandbox/ca.pem and lies in a file; the client's key is its owner's", async () => {
    expect(await ask("/-/sandbox/ca.pem", { ca })).toEqual({ status: 200, body: ca });
    expect(await readFile(scene.sandbox.certificates?.files.ca ?? "", "utf8")).toBe(ca);
    const parsed = new X509Certificate(ca);
    expect([parsed.ca, parsed.subject, parsed.verify(parsed.publicKey)]).toEqual([
      true,
      "CN=Fairlead sandbox CA",
      true,
    ]);
  });

  test("a client's certificate may be asked for", async () => {
    changeKnobs(scene.sandbox, { faults: { requireClientCertificate: true } });
    const without = await ask("/api/v4/user", { ca });
    expect(without).toMatchObject({
      status: 400,
      body: expect.stringContaining("No required SSL certificate was sent"),
    });
    const { files } = scene.sandbox.certificates ?? { files: { clientCertificate: "", clientKey: "" } };
    const cert = await readFile(files.clientCertificate, "utf8");
    const key = await readFile(files.clientKey, "utf8");
    expect(await ask("/api/v4/user", { ca, cert, key })).toMatchObject({ status: 200 });
  });

  test("git clones when it knows the CA, curl's library included", async () => {
    const file = scene.sandbox.certificates?.files.ca ?? "";
    expect((await scene.git("-c", `http.sslCAInfo=${file}`, "clone", scene.remote(), "tls")).ok).toBe(true);
    const refused = await scene.git("ls-remote", scene.remote());
    expect([refused.ok, /certificate/i.test(refused.output)]).toEqual([false, true]);
  });

  test("a reset, and a truncated body, over TLS", async () => {
    changeKnobs(scene.sandbox, { faults: { front: { answer: "reset" } } });
    expect(await ask("/api/v4/user", { ca })).toBe("ECONNRESET");
  });
});

test("a sandbox without TLS has no CA to tell", async () => {
  await using plain = await openScene();
  expect(plain.sandbox.certificates).toBeNull();
  expect((await fetch(`${plain.sandbox.url}/-/sandbox/ca.pem`)).status).toBe(404);
});

test("certificates name what they are good for", async () => {
  await using other = await openScene({ tls: true, host: "::1" });
  const body = await new Promise<string>((resolve, reject) => {
    const options = { ca: other.sandbox.certificates?.ca, headers: { "PRIVATE-TOKEN": other.token } };
    const call = request(`${other.sandbox.url}/api/v4/version`, options, (response) => {
      response.setEncoding("utf8").on("data", resolve);
    });
    call.on("error", reject);
    call.end();
  });
  expect([isIP(new URL(other.sandbox.url).hostname.slice(1, -1)), body]).toEqual([
    6,
    expect.stringContaining("18.9.0"),
  ]);
});

import { inspect } from "node:util";
import { describe, expect, test } from "vitest";
import { tlsFixture } from "../../test/support/answering-server.ts";
import { Fault } from "../faults/fault.ts";
import { Secret } from "../kernel/secret.ts";
import { findRoute, secretsOf, type MachineProxies } from "./network.ts";
import { parseNetwork, type NetworkInput } from "./parse-network.ts";

const machine = (exceptions: string[] = []): MachineProxies => ({
  https: new Secret("http://amy:hunter2@proxy.acme.lan:3128"),
  http: new Secret("http://plain.acme.lan:8080"),
  exceptions,
});

describe("which proxy", () => {
  test.each<[string, string[], string | null]>([
    ["https://git.acme.lan", [], "proxy.acme.lan:3128"],
    ["http://git.acme.lan", [], "plain.acme.lan:8080"],
    ["https://git.acme.lan", ["*"], null],
    ["https://git.acme.lan", ["git.acme.lan"], null],
    ["https://git.acme.lan", ["acme.lan"], null],
    ["https://git.acme.lan", [".acme.lan"], null],
    ["https://git.acme.lan", ["*.acme.lan"], null],
    ["https://git.acme.lan", ["cme.lan"], "proxy.acme.lan:3128"],
    ["https://git.acme.lan", ["git.acme.lan:443"], null],
    ["https://git.acme.lan", ["git.acme.lan:8443"], "proxy.acme.lan:3128"],
    ["https://git.acme.lan:8443", ["acme.lan:8443"], null],
    ["https://10.1.2.3", ["10.0.0.0/8"], null],
    ["https://11.1.2.3", ["10.0.0.0/8"], "proxy.acme.lan:3128"],
    ["https://10.1.2.3", ["10.1.2.3"], null],
    ["https://[fd12::1]", ["fd00::/8"], null],
    ["https://[fd12::1]:8443", ["[fd12::1]:8443"], null],
    ["https://git.acme.lan", ["10.0.0.0/99", "", ":443", "git"], "proxy.acme.lan:3128"],
    ["https://localhost:8443", [], null],
    ["https://127.0.0.1", [], null],
    ["https://[::1]", [], null],
    ["https://git.acme.lan.", ["acme.lan"], null],
  ])("%s with NO_PROXY %j: %s", (url, exceptions, proxyHost) => {
    const route = findRoute(new URL(url), { machine: machine(exceptions) });
    expect(route.proxyHost).toBe(proxyHost);
    expect(`${inspect(route)} ${route.why}`).not.toContain("hunter2");
    expect(route.why).not.toBe("");
  });

  test("one that was given wins over the machine's and its exceptions; none is none", () => {
    const at = (proxy: string, url = "https://git.acme.lan") =>
      findRoute(new URL(url), { ...parseNetwork({ proxy }), machine: machine(["*"]) });
    expect(at("other.acme.lan:8888")).toMatchObject({ proxyHost: "other.acme.lan:8888" });
    expect(at("http://127.0.0.1:1", "https://localhost")).toMatchObject({ proxyHost: "127.0.0.1:1" });
    expect(at("none")).toMatchObject({ proxyHost: null });
    expect(findRoute(new URL("https://x.lan"), {}).proxyHost).toBeNull();
  });
});

describe("what is given", () => {
  const refused = (input: NetworkInput): Fault => {
    try {
      parseNetwork(input);
    } catch (error) {
      if (error instanceof Fault) return error;
    }
    throw new Error("was taken");
  };

  test.each<[string, NetworkInput]>([
    ["SOCKS", { proxy: "socks5://hunter2@x:1080" }],
    ["no address", { proxy: "http://hunter2:x@" }],
    ["a blank", { proxy: "http://hunter2 :x@proxy" }],
    ["a broken escape", { proxy: "http://amy:hunter2%@proxy:1" }],
    ["a line end in a password", { proxy: "http://amy:hunter2%0d%0a@proxy:1" }],
    ["a metadata service as proxy", { proxy: "http://169.254.169.254:80/?hunter2" }],
    ["a certificate alone", { clientCert: tlsFixture("ca.pem") }],
    ["a key alone", { clientKey: "hunter2" }],
    ["a key that is none", { clientCert: tlsFixture("ca.pem"), clientKey: "hunter2" }],
    [
      "an encrypted key",
      { clientCert: tlsFixture("ca.pem"), clientKey: "-----BEGIN ENCRYPTED PRIVATE KEY-----\nhunter2" },
    ],
    ["a key of another", { clientCert: tlsFixture("ca.pem"), clientKey: tlsFixture("server-key.pem") }],
    ["a damaged authority", { ca: "-----BEGIN CERTIFICATE-----\nhunter2\n-----END CERTIFICATE-----" }],
    ["a header's value with a line end", { headers: { "x-gate": "hunter2\r\nhost: evil" } }],
    ["an empty value", { headers: { "x-gate": " " } }],
    ["letters that no header carries", { headers: { "x-gate": "hünter2" } }],
    ["a name that is none", { headers: { "x gate": "hunter2" } }],
    ...[
      "Host",
      "Authorization",
      "PRIVATE-TOKEN",
      "Job-Token",
      "Sudo",
      "Content-Length",
      "Transfer-Encoding",
      "Connection",
      "Proxy-Authorization",
      "X-Gitlab-Token",
      " Host ",
    ].map((name): [string, NetworkInput] => [`the header ${name}`, { headers: { [name]: "hunter2" } }]),
    [
      "too many headers",
      { headers: Object.fromEntries(Array.from({ length: 21 }, (_, i) => [`x-${i}`, "hunter2"])) },
    ],
  ])("%s is refused without being repeated", (_, input) => {
    const fault = refused(input);
    expect([fault.code, fault.reason]).toEqual(["BAD_REQUEST", "invalid"]);
    expect(inspect(fault, { depth: 9, showHidden: true })).not.toContain("hunter2");
  });

  test("secrets are secrets, and all of them are named for the log", () => {
    const network = parseNetwork({
      proxy: "amy:hunter%402@proxy.acme.lan:3128",
      headers: { "CF-Access-Client-Secret": "s3cr3t-value" },
      clientCert: tlsFixture("trusted.pem"),
      clientKey: tlsFixture("server-key.pem"),
    });
    expect(inspect(network, { depth: 9 })).not.toMatch(/hunter|s3cr3t|PRIVATE KEY/);
    expect(JSON.stringify(network)).not.toMatch(/hunter|s3cr3t|PRIVATE KEY/);
    const known = secretsOf(network).map((secret) => secret.reveal());
    expect(known).toEqual(
      expect.arrayContaining(["s3cr3t-value", "hunter%402", "hunter@2", tlsFixture("server-key.pem")]),
    );
    expect(Object.keys(network.headers ?? {})).toEqual(["cf-access-client-secret"]);
  });
});

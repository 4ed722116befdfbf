import { expect, test } from "vitest";
import { judgeUrl, type OutboundPolicy } from "./url-blocker.ts";

const closed: OutboundPolicy = {
  allowLocal: false,
  allowlist: [],
  denyAll: false,
  mustResolve: false,
  ownUrl: "http://127.0.0.1:3000/gitlab",
};

async function reason(url: string, policy: Partial<OutboundPolicy> = {}): Promise<string | null> {
  return (await judgeUrl(url, { ...closed, ...policy })).blocked;
}

test.each([
  ["http://127.0.0.1/", "Requests to localhost are not allowed"],
  ["http://127.1/", "Requests to localhost are not allowed"],
  ["http://0x7f000001/", "Requests to localhost are not allowed"],
  ["http://[::1]/", "Requests to localhost are not allowed"],
  ["http://0.0.0.0/", "Requests to localhost are not allowed"],
  ["http://localhost:4000/", "Requests to localhost are not allowed"],
  ["http://127.0.0.2/", "Requests to loopback addresses are not allowed"],
  ["http://[::ffff:127.0.0.2]/", "Requests to loopback addresses are not allowed"],
  ["http://10.1.2.3/", "Requests to the local network are not allowed"],
  ["http://192.168.1.1/", "Requests to the local network are not allowed"],
  ["http://[fd00::1]/", "Requests to the local network are not allowed"],
  ["http://169.254.169.254/", "Requests to the link local network are not allowed"],
  ["http://100.64.0.1/", "Requests to the shared address space are not allowed"],
  ["http://255.255.255.255/", "Requests to the limited broadcast address are not allowed"],
  ["ftp://example.com/", "Only allowed schemes are http, https"],
  ["http://-x@8.8.8.8/", "Username needs to start with an alphanumeric character"],
  ["http://%ZZ@8.8.8.8/", "Username needs to start with an alphanumeric character"],
  ["file:///etc/passwd", "URI is invalid"],
  ["nonsense", "URI is invalid"],
  ["http://8.8.8.8/", null],
  ["http://127.0.0.1:3000/hook", null], // GitLab itself
])("%s: %s", async (url, expected) => {
  expect(await reason(url)).toBe(expected);
});

test("where local requests are allowed only the form counts", async () => {
  expect(await reason("http://127.0.0.2/", { allowLocal: true })).toBeNull();
  expect(await reason("javascript:alert(1)", { allowLocal: true })).not.toBeNull();
});

test.each([
  ["10.1.2.3", "http://10.1.2.3/", true],
  ["10.1.2.3:8080", "http://10.1.2.3:8080/", true],
  ["10.1.2.3:8080", "http://10.1.2.3/", false],
  ["10.0.0.0/8", "https://10.200.0.1/", true],
  ["10.0.0.0/99", "https://10.200.0.1/", false],
  ["[fd00::1]:443", "https://[fd00::1]/", true],
  ["LOCALHOST", "http://localhost:5000/", true],
  ["*.localhost", "http://localhost:5000/", false],
  ["localhos", "http://localhost:5000/", false],
])("the list entry %s and %s: reached %s", async (entry, url, reached) => {
  expect((await reason(url, { allowlist: [entry] })) === null).toBe(reached);
});

test("everything may be denied but what is listed", async () => {
  const denied = "Requests to hosts and IP addresses not on the Allow List are denied";
  expect(await reason("http://8.8.8.8/", { denyAll: true, allowLocal: true })).toBe(denied);
  expect(await reason("http://8.8.8.8/", { denyAll: true, allowlist: ["8.8.8.0/24"] })).toBeNull();
  expect(await reason("http://does-not-exist.invalid/", { denyAll: true })).toBe(denied);
});

test("a name that does not resolve may be saved and cannot be called", async () => {
  const url = "http://does-not-exist.invalid/";
  expect(await reason(url)).toBeNull();
  expect(await reason(url, { mustResolve: true })).toBe("Host cannot be resolved or invalid");
});

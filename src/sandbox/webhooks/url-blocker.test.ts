import { expect, test } from "vitest";
import { blockedReason } from "./url-blocker.ts";

test.each([
  ["http://127.0.0.1/", "Requests to loopback addresses are not allowed"],
  ["http://127.1/", "Requests to loopback addresses are not allowed"],
  ["http://0x7f000001/", "Requests to loopback addresses are not allowed"],
  ["http://[::1]/", "Requests to loopback addresses are not allowed"],
  ["http://[::ffff:127.0.0.1]/", "Requests to loopback addresses are not allowed"],
  ["http://localhost:3000/", "Requests to localhost are not allowed"],
  ["http://10.1.2.3/", "Requests to the local network are not allowed"],
  ["http://192.168.1.1/", "Requests to the local network are not allowed"],
  ["http://169.254.169.254/", "Requests to the link local network are not allowed"],
  ["http://100.64.0.1/", "Requests to the shared address space are not allowed"],
  ["http://255.255.255.255/", "Requests to the limited broadcast address are not allowed"],
  ["ftp://example.com/", "Only allowed schemes are http, https"],
  ["file:///etc/passwd", "URI is invalid"],
  ["nonsense", "URI is invalid"],
  ["http://8.8.8.8/", null],
])("%s: %s", async (url, reason) => {
  expect(await blockedReason(url, false)).toBe(reason);
});

test("where local requests are allowed only the form counts", async () => {
  expect(await blockedReason("http://127.0.0.1/", true)).toBeNull();
  expect(await blockedReason("javascript:alert(1)", true)).not.toBeNull();
});

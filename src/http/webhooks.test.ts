import { expect, test, vi } from "vitest";
import { buildTestServer } from "../../test/support/http-server.ts";
import { fakeServices } from "../../test/support/services.ts";
import { Fault } from "../faults/fault.ts";
import type { Acceptance, IncomingDelivery } from "../pushes/pushes.ts";
import { createMetrics } from "../telemetry/metrics.ts";

const knows = async (): Promise<boolean> => true;

async function call(
  acceptance: Acceptance,
  request: { payload?: string | Buffer; headers?: Record<string, string> } = {},
) {
  const accept = vi.fn(async (_delivery: IncomingDelivery) => acceptance);
  const metrics = createMetrics();
  const server = await buildTestServer({ metrics, services: fakeServices({ pushes: { accept, knows } }) });
  const answer = await server.inject({ method: "POST", url: "/hooks/gitlab/h00k", ...request });
  return { answer, delivery: accept.mock.calls[0]?.[0], metrics: (await metrics.render()).body };
}

const accepted: Acceptance = { kind: "accepted", deliveryId: "dlv_1" };

test("a stored delivery is answered with its id", async () => {
  const { answer, metrics } = await call(accepted, { payload: "{}" });
  expect([answer.statusCode, answer.json()]).toEqual([202, { accepted: true, id: "dlv_1" }]);
  expect(metrics).toContain('fairlead_webhooks_total{answer="accepted"} 1');
});

test("nothing to do is 2xx with the reason, which GitLab shows", async () => {
  const reason = "branch feature/x is not deployed";
  const stored = await call({ kind: "ignored", deliveryId: "dlv_1", reason }, { payload: "{}" });
  expect([stored.answer.statusCode, stored.answer.json()]).toEqual([
    200,
    { accepted: false, reason, id: "dlv_1" },
  ]);
  const unstored = await call({ kind: "ignored", deliveryId: null, reason }, { payload: "{}" });
  expect(unstored.answer.json()).toEqual({ accepted: false, reason });
});

test.each([
  [{ kind: "refused" }, 401, "bad_secret"],
  [{ kind: "unknown_hook" }, 404, ""],
  [{ kind: "malformed", reason: "not JSON" }, 400, "invalid"],
] as const)("%j is %d", async (acceptance, status, reason) => {
  const { answer, metrics } = await call(acceptance, { payload: "x" });
  expect(answer.statusCode).toBe(status);
  expect(answer.json()).toMatchObject({ reason });
  expect(metrics).toContain(`fairlead_bad_secrets_total ${status === 401 ? 1 : 0}`);
});

test("without a database the answer is 503 with Retry-After", async () => {
  const accept = () => Promise.reject(Fault.of("DATABASE_UNAVAILABLE", "", { retryable: true }));
  const server = await buildTestServer({ services: fakeServices({ pushes: { accept, knows } }) });
  const answer = await server.inject({ method: "POST", url: "/hooks/gitlab/h00k", payload: "{}" });
  expect(answer.statusCode).toBe(503);
  expect(Number(answer.headers["retry-after"])).toBeGreaterThan(0);
});

test.each([
  undefined,
  "application/json",
  "application/json; charset=utf-16",
  "text/plain",
  "application/x-www-form-urlencoded",
  "multipart/form-data; boundary=x",
  "gar/bage/",
  "é",
])("the bytes reach the verification untouched, whatever content type (%s) they have", async (type) => {
  const payload = Buffer.from([0xff, 0x00, 0x7b, 0x0d, 0x0a, 0xc3]);
  const headers = { "x-gitlab-token": "s", ...(type !== undefined && { "content-type": type }) };
  const { answer, delivery } = await call(accepted, { payload, headers });
  expect(answer.statusCode).toBe(202);
  expect(delivery?.body).toEqual(payload);
  expect(delivery).toMatchObject({ hookPath: "h00k", headers: { "x-gitlab-token": "s" } });
});

test("no body at all is an empty one", async () => {
  const { delivery } = await call({ kind: "malformed", reason: "empty" });
  expect(delivery?.body).toEqual(Buffer.alloc(0));
});

test("any host and no API token: the secret is the hook's own", async () => {
  expect(
    (await call(accepted, { payload: "{}", headers: { host: "rewritten.by.proxy" } })).answer.statusCode,
  ).toBe(202);
});

test("25 MB are taken, more than 26 MB are not", async () => {
  const big = await call(accepted, { payload: Buffer.alloc(25 * 1024 * 1024) });
  expect(big.delivery?.body.length).toBe(25 * 1024 * 1024);
  const tooBig = await call(accepted, { payload: Buffer.alloc(26 * 1024 * 1024 + 1) });
  expect([tooBig.answer.statusCode, tooBig.delivery]).toEqual([413, undefined]);
});

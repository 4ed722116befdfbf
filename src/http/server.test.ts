import type { FastifyInstance } from "fastify";
import { expect, test, vi } from "vitest";
import {
  app,
  connection,
  delivery,
  deployment,
  diagnosis,
  fakeServices,
  notFound,
} from "../../test/support/services.ts";
import { API_TOKEN, buildTestServer } from "../../test/support/http-server.ts";
import { Fault } from "../faults/fault.ts";
import { createHealth } from "../telemetry/health.ts";
import { createLogger } from "../telemetry/log.ts";
import { problemSchema } from "./contract.ts";

const authorization = `Bearer ${API_TOKEN}`;
const headers = { authorization };

const get = (server: FastifyInstance, url: string, more: Record<string, string> = {}) =>
  server.inject({ method: "GET", url, headers: { ...headers, ...more } });
const post = (
  server: FastifyInstance,
  url: string,
  payload: object | string,
  more: Record<string, string> = {},
) =>
  server.inject({
    method: "POST",
    url,
    payload,
    headers: { "content-type": "application/json", ...headers, ...more },
  });

test.each(["", "Bearer", "Bearer wrong", `Basic ${API_TOKEN}`, `Bearer ${API_TOKEN}x`, `bearer  `])(
  "authorization %j is refused with a fix and tells nothing",
  async (given) => {
    const server = await buildTestServer();
    const answer = await server.inject({
      method: "GET",
      url: "/api/v1/apps",
      headers: { authorization: given },
    });
    expect(answer.statusCode).toBe(401);
    expect(answer.headers["www-authenticate"]).toMatch(/^Bearer/);
    const problem = problemSchema.parse(answer.json());
    expect(problem).toMatchObject({ code: "UNAUTHORIZED", requestId: answer.headers["x-request-id"] });
    expect(problem.fix.length).toBeGreaterThan(0);
  },
);

test("every route of the API wants the token, those for machines do not", async () => {
  const server = await buildTestServer();
  const { paths } = (await server.inject("/api/openapi.json")).json<{ paths: Record<string, object> }>();
  expect(Object.keys(paths).length).toBeGreaterThan(15);
  for (const [path, operations] of Object.entries(paths)) {
    for (const method of Object.keys(operations) as ("get" | "post" | "delete")[]) {
      const url = path.replaceAll(/\{\w+\}/g, "x");
      expect((await server.inject({ method, url })).statusCode, `${method} ${url}`).toBe(401);
    }
  }
  expect((await server.inject("/metrics")).statusCode).toBe(401);
  expect((await server.inject("/healthz")).statusCode).toBe(200);
});

test.each([
  ["evil.example", undefined, 400],
  ["evil.example:7070", undefined, 400],
  ["localhost.evil.example", undefined, 400],
  ["a b", undefined, 400],
  ["localhost", "https://evil.example", 400],
  ["localhost", "null", 400],
  ["localhost:7070", "http://localhost:7070", 200],
  ["127.0.0.1:7070", undefined, 200],
  ["[::1]:7070", undefined, 200],
  ["10.0.4.7", undefined, 200],
  ["DEPLOY.acme.lan", undefined, 200],
])("host %j with origin %j gets %d", async (host, origin, status) => {
  const server = await buildTestServer({ services: fakeServices({ apps: { list: async () => [app] } }) });
  const answer = await get(server, "/api/v1/apps", { host, ...(origin !== undefined && { origin }) });
  expect(answer.statusCode).toBe(status);
});

test("what is not declared does not leave, and times are ISO 8601", async () => {
  const leaky = {
    ...app,
    deployKeyPrivate: "hunter2",
    environments: [{ ...app.environments[0]!, secret: "hunter2" }],
  };
  const server = await buildTestServer({ services: fakeServices({ apps: { get: async () => leaky } }) });
  const answer = await get(server, "/api/v1/apps/shop");
  expect(answer.body).not.toContain("hunter2");
  expect(answer.json()).toMatchObject({ name: "shop", createdAt: "2026-11-23T14:02:11.000Z" });
});

test("connecting hands the token over as a Secret and never answers or logs it", async () => {
  const connect = vi.fn(async () => ({ connection, diagnosis }));
  const lines: string[] = [];
  const log = createLogger({
    level: "debug",
    redact: (text) => text,
    stream: { write: (line) => lines.push(line) },
  });
  const server = await buildTestServer({ log, services: fakeServices({ connections: { connect } }) });
  const answer = await post(server, "/api/v1/connections", {
    url: "https://git.acme.lan",
    token: "glpat-hunter2",
  });
  expect(answer.statusCode).toBe(201);
  const [request] = connect.mock.calls[0] as unknown as [{ token: { reveal: () => string } }];
  expect(request.token.reveal()).toBe("glpat-hunter2");
  expect(answer.body + JSON.stringify(request)).not.toContain("hunter2");
  const bad = await post(server, "/api/v1/connections", { url: 5, token: "glpat-hunter2", extra: "hunter2" });
  expect(bad.statusCode).toBe(400);
  expect(bad.body + lines.join("")).not.toContain("hunter2");
});

test("a Fault of a service becomes its problem", async () => {
  const connect = () =>
    Promise.reject(
      Fault.of("INSUFFICIENT_SCOPES", "missing_api", {
        evidence: { status: 403, words: "insufficient_scope" },
      }),
    );
  const server = await buildTestServer({ services: fakeServices({ connections: { connect } }) });
  const answer = await post(server, "/api/v1/connections", { url: "https://git.acme.lan", token: "t" });
  expect(answer.headers["content-type"]).toMatch(/^application\/problem\+json/);
  expect(problemSchema.parse(answer.json())).toMatchObject({
    code: "INSUFFICIENT_SCOPES",
    reason: "missing_api",
    evidence: { status: 403, words: "insufficient_scope" },
  });
});

test("an unforeseen error says nothing of itself over the wire, and everything in the log", async () => {
  const lines: string[] = [];
  const log = createLogger({
    level: "info",
    redact: (text) => text,
    stream: { write: (line) => lines.push(line) },
  });
  const list = () => Promise.reject(new Error("password authentication failed for user fairlead"));
  const server = await buildTestServer({ log, services: fakeServices({ apps: { list } }) });
  const answer = await get(server, "/api/v1/apps");
  expect(answer.statusCode).toBe(500);
  expect(answer.body).not.toContain("password");
  expect(lines.join("")).toContain("password authentication failed");
  expect(lines.join("")).toContain(answer.json<{ requestId: string }>().requestId);
});

test("a database that is away is 503 with Retry-After", async () => {
  const list = () => Promise.reject(Fault.of("DATABASE_UNAVAILABLE", ""));
  const server = await buildTestServer({ services: fakeServices({ apps: { list } }) });
  const answer = await get(server, "/api/v1/apps");
  expect(answer.statusCode).toBe(503);
  expect(Number(answer.headers["retry-after"])).toBeGreaterThan(0);
});

test.each([
  ["{", "malformed_json"],
  ["", "malformed_json"],
  ['{"__proto__":{"x":1}}', "malformed_json"],
  ["null", "invalid"],
  ['{"connection":"c","project":"p","brnach":"x"}', "invalid"],
  ['{"connection":"c","project":"p","healthPath":"http://evil"}', "invalid"],
  ['{"connection":["c"],"project":"p"}', "invalid"],
])("body %s is refused as %s", async (body, reason) => {
  const server = await buildTestServer();
  const answer = await post(server, "/api/v1/apps", body);
  expect(answer.statusCode).toBe(400);
  expect(problemSchema.parse(answer.json())).toMatchObject({ code: "BAD_REQUEST", reason });
});

test("a refused request names the field that is wrong", async () => {
  const server = await buildTestServer();
  const answer = await post(server, "/api/v1/apps", { connection: "c", project: "p", healthPath: "health" });
  expect(problemSchema.parse(answer.json()).evidence).toEqual({ "body/healthPath": "must begin with /" });
});

test("a body above 1 MB is refused", async () => {
  const server = await buildTestServer();
  const answer = await post(server, "/api/v1/apps", { connection: "c", project: "x".repeat(2 ** 20) });
  expect(answer.statusCode).toBe(413);
  expect(problemSchema.parse(answer.json()).code).toBe("TOO_LARGE");
});

test.each(["/api/v1/nothing", "/", "/api/v1/apps/%00", "/api/v1/apps/..%2f..%2fetc"])(
  "%s is a problem too",
  async (url) => {
    const server = await buildTestServer({ services: fakeServices({ apps: { get: notFound } }) });
    const answer = await get(server, url);
    expect([400, 404]).toContain(answer.statusCode);
    expect(problemSchema.parse(answer.json()).code).toBe("NOT_FOUND");
  },
);

test("a POST without a body means the defaults", async () => {
  const redeploy = vi.fn(async () => deployment);
  const server = await buildTestServer({ services: fakeServices({ deployments: { redeploy } }) });
  const answer = await server.inject({ method: "POST", url: "/api/v1/apps/shop/redeploy", headers });
  expect(answer.statusCode).toBe(202);
  expect(redeploy).toHaveBeenCalledWith("shop", {});
});

test("limits of lists are bounded", async () => {
  const list = vi.fn(async () => [delivery]);
  const server = await buildTestServer({ services: fakeServices({ pushes: { list } }) });
  expect((await get(server, "/api/v1/apps/shop/deliveries?limit=500")).statusCode).toBe(200);
  expect(list).toHaveBeenCalledWith("shop", 500);
  for (const limit of ["0", "501", "x", "-1", "1e9"]) {
    expect((await get(server, `/api/v1/apps/shop/deliveries?limit=${limit}`)).statusCode).toBe(400);
  }
});

test("readiness follows its parts and tells no more than that", async () => {
  const health = createHealth({
    database: () => Promise.reject(new Error("connect /data/pg18 refused")),
    edge: async () => 1,
  });
  const server = await buildTestServer({ health });
  const answer = await server.inject("/readyz");
  expect(answer.statusCode).toBe(503);
  expect(answer.json()).toMatchObject({
    ready: false,
    parts: { database: { ok: false }, edge: { ok: true } },
  });
  expect(answer.body).not.toContain("/data");
});

test("requests are counted by the pattern of their route", async () => {
  const server = await buildTestServer({ services: fakeServices({ apps: { get: async () => app } }) });
  await get(server, "/api/v1/apps/secret-name");
  const { body, headers: answered } = await get(server, "/metrics");
  expect(answered["content-type"]).toContain("text/plain");
  expect(body).toContain('route="/api/v1/apps/:app"');
  expect(body).not.toContain("secret-name");
});

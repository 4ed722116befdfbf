import { expect, test } from "vitest";
import { runFairlead } from "../../test/support/cli.ts";
import { startTestServer } from "../../test/support/http-server.ts";
import { connection, diagnosis, fakeServices } from "../../test/support/services.ts";
import type { Reconnect } from "../connections/reconnect.ts";

test("reconnect: what changes is said first; nothing is done without --yes; the token is never printed", async () => {
  const wishes: Reconnect[] = [];
  const changes = ["its user is @eve instead of @ada\u001B[2J"];
  const reconnect = async (_name: string, wish: Reconnect) => {
    wishes.push(wish);
    return { connection, diagnosis, changes, applied: wish.accept };
  };
  const get = async () => connection;
  await using server = await startTestServer({ services: fakeServices({ connections: { reconnect, get } }) });
  const asked = await runFairlead(server.url, "reconnect work", { input: "glpat-new\n" });
  expect(asked.code).toBe(1);
  expect(asked.err).toMatch(/its user is @eve instead of @ada[\s\S]*Nothing was changed\. With --yes/);
  const json = await runFairlead(server.url, "reconnect work --json", { input: "glpat-new\n" });
  expect([json.code, JSON.parse(json.out)]).toMatchObject([1, { applied: false, changes }]);
  const done = await runFairlead(server.url, "reconnect work --yes", { input: "glpat-new\n" });
  expect([done.code, done.out]).toEqual([0, expect.stringMatching(/has its new token\n.*@eve/)]);
  expect(wishes.map(({ token, accept }) => [token.reveal(), accept])).toEqual([
    ["glpat-new", false],
    ["glpat-new", false],
    ["glpat-new", true],
  ]);
  for (const { out, err } of [asked, json, done]) {
    expect(out + err).not.toContain("glpat-new");
    expect(asked.err).not.toContain("\u001B[2J");
  }
});

test("rotate: now, by policy, and off", async () => {
  const called: unknown[] = [];
  const rotate = async (name: string, days: number) => {
    called.push([name, days]);
    return connection;
  };
  const setRotation = async (name: string, policy: { beforeDays: number; forDays: number } | null) => {
    called.push([name, policy]);
    return {
      ...connection,
      rotateBeforeDays: policy?.beforeDays ?? null,
      rotateForDays: policy?.forDays ?? 90,
    };
  };
  await using server = await startTestServer({
    services: fakeServices({ connections: { rotate, setRotation } }),
  });
  expect((await runFairlead(server.url, "rotate work --days 30")).out).toContain("lives until 2026-12-07");
  expect((await runFairlead(server.url, "rotate work --auto 14 --days 60")).out).toContain(
    "14 days before its end, each time for 60 days",
  );
  expect((await runFairlead(server.url, "rotate work --auto off")).out).toContain("only on request");
  expect(called).toEqual([
    ["work", 30],
    ["work", { beforeDays: 14, forDays: 60 }],
    ["work", null],
  ]);
  for (const words of [
    "--days 1",
    "--days 401",
    "--days x",
    "--auto 0",
    "--auto 90",
    "--auto 91",
    "--auto maybe",
  ])
    expect((await runFairlead(server.url, `rotate work ${words}`)).code).toBe(2);
  expect(called).toHaveLength(3);
});

test("what is wrong with a connection stands above its apps and deployments, and not in what programs read", async () => {
  const trouble = { code: "AUTH_FAILED", reason: "revoked", title: "The token was revoked" };
  const troubled = { ...connection, name: "work", trouble, pausedAt: new Date(Date.now() - 3_600_000) };
  const list = async () => [troubled, connection];
  await using server = await startTestServer({
    services: fakeServices({
      connections: { list },
      apps: { list: async () => [] },
      deployments: { list: async () => [] },
    }),
  });
  for (const command of ["apps", "deployments shop"]) {
    const run = await runFairlead(server.url, command);
    expect([run.code, run.err.trim()]).toEqual([
      0,
      "! work: The token was revoked (AUTH_FAILED); since 1 h ago its webhook calls and deployments wait. More: fairlead doctor work",
    ]);
    expect((await runFairlead(server.url, `${command} --json`)).err).toBe("");
  }
  expect((await runFairlead(server.url, "connections")).out).toMatch(/work .*paused: AUTH_FAILED/);
});

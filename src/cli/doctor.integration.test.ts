import { PassThrough } from "node:stream";
import { expect, test } from "vitest";
import { runFairlead } from "../../test/support/cli.ts";
import { startTestServer } from "../../test/support/http-server.ts";
import { connection, diagnosis, fakeServices } from "../../test/support/services.ts";
import type { Doctor } from "../http/services.ts";

const hook = { what: "hook", project: "acme/shop", text: "Make the webhook of acme/shop" } as const;

function services(doctor: Partial<Doctor>) {
  return fakeServices({
    connections: { list: async () => [connection] },
    doctor: { diagnose: async () => diagnosis, ...doctor },
  });
}

test("doctor: all connections or one, with and without --probe", async () => {
  const asked: unknown[] = [];
  const diagnose: Doctor["diagnose"] = async (name, wish) => {
    asked.push([name, wish]);
    return diagnosis;
  };
  await using server = await startTestServer({ services: services({ diagnose }) });
  const all = await runFairlead(server.url, "doctor");
  expect(all).toMatchObject({ code: 0, out: expect.stringContaining("! 1 warning") });
  const one = await runFairlead(server.url, "doctor work --probe --json");
  expect(JSON.parse(one.out)).toEqual(diagnosis);
  expect(asked).toEqual([
    ["git.acme.lan", { probe: false }],
    ["work", { probe: true }],
  ]);
});

test("doctor --fix: says what it would do, and does it only when told to", async () => {
  let done = 0;
  const repair: Doctor["repair"] = async () => {
    done++;
    return [{ ...hook, failed: null }];
  };
  await using server = await startTestServer({
    services: services({ listRepairs: async () => [hook], repair }),
  });
  const asked = await runFairlead(server.url, "doctor work --fix");
  expect([asked.code, done]).toEqual([0, 0]);
  expect(asked.out).toContain(
    "This would be done in GitLab:\n  Make the webhook of acme/shop\nNothing was done.",
  );
  const told = await runFairlead(server.url, "doctor work --fix --yes");
  expect([told.code, done]).toEqual([0, 1]);
  expect(told.out).toContain("✓ Make the webhook of acme/shop");
});

test("doctor --fix: what failed is named, and the exit code says so", async () => {
  const repair: Doctor["repair"] = async () => [{ ...hook, failed: "403 Forbidden" }];
  await using server = await startTestServer({
    services: services({ listRepairs: async () => [hook], repair }),
  });
  const run = await runFairlead(server.url, "doctor work --fix --yes");
  expect(run).toMatchObject({ code: 1, out: expect.stringContaining("403 Forbidden") });
});

test("doctor --share: no name is left", async () => {
  await using server = await startTestServer({ services: services({}) });
  for (const words of ["doctor --share", "doctor --share --json"]) {
    const { out } = await runFairlead(server.url, words);
    expect(out).toContain("host-1.example");
    expect(out).not.toMatch(/acme|deploy-bot/);
  }
});

test("on a terminal the report fits one screen, what is fine in one line", async () => {
  const many = {
    ...diagnosis,
    checks: [
      ...diagnosis.checks,
      ...Array.from({ length: 24 }, (_, i) => ({
        id: `some.check${i}`,
        state: "ok" as const,
        title: `Fine ${i}`,
        evidence: null,
        evidenceSource: null,
        fix: null,
        ms: 1,
      })),
    ],
  };
  await using server = await startTestServer({ services: services({ diagnose: async () => many }) });
  const stdout = Object.assign(new PassThrough(), { isTTY: true as const });
  await runFairlead(server.url, "doctor work", { stdout, env: { NO_COLOR: "1" } });
  const lines = String(stdout.read()).split("\n");
  expect(lines.length).toBeLessThan(24);
  expect(lines.find((line) => line.startsWith("  fine: net.tcp, some.check0"))).toBeDefined();
  const plain = await runFairlead(server.url, "doctor work");
  expect(plain.out.split("\n").length).toBeGreaterThan(26);
});

test("connect without a token, at a terminal: both places where one is made, before it is asked for", async () => {
  const stdin = Object.assign(new PassThrough(), { isTTY: true as const, setRawMode: () => stdin });
  const stop = new AbortController();
  const run = await runFairlead("http://127.0.0.1:1", "connect https://git.acme.lan/gitlab", {
    stdin,
    signal: stop.signal,
    onOutput: (text) => {
      if (text.includes("docs/gitlab-token.md")) setTimeout(() => stop.abort(), 100);
    },
  });
  const page = "personal_access_tokens?name=Fairlead&scopes=api";
  expect(run.err).toContain(`https://git.acme.lan/gitlab/-/user_settings/${page}`);
  expect(run.err).toContain(`https://git.acme.lan/gitlab/-/profile/${page}`);
  expect(run.code).toBe(130);
});

import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test, vi } from "vitest";
import { runFairlead } from "../../test/support/cli.ts";
import { startTestServer } from "../../test/support/http-server.ts";
import {
  app,
  connection,
  delivery,
  deployment,
  diagnosis,
  fakeServices,
  notFound,
} from "../../test/support/services.ts";
import { Fault } from "../faults/fault.ts";
import { Secret } from "../kernel/secret.ts";

const NO_SERVER = "http://127.0.0.1:1";

test("connect: the token comes through standard input, a file or the environment", async () => {
  const tokens: string[] = [];
  const connect = vi.fn(async ({ token }: { token: { reveal(): string } }) => {
    tokens.push(token.reveal());
    return { connection, diagnosis };
  });
  const folder = await mkdtemp(join(tmpdir(), "fairlead-cli-"));
  await writeFile(join(folder, "t"), "from-file\n");
  await using server = await startTestServer({
    services: fakeServices({ connections: { connect } }),
  });
  const url = "https://git.acme.lan";
  await runFairlead(server.url, `connect ${url}`, { input: "from-stdin\n" });
  await runFairlead(server.url, `connect ${url} --token-file -`, {
    input: "from-dash",
    env: { FAIRLEAD_GITLAB_TOKEN: "env" },
  });
  await runFairlead(server.url, `connect ${url} --token-file ${folder}/t`);
  const run = await runFairlead(server.url, `connect ${url} --json`, {
    env: { FAIRLEAD_GITLAB_TOKEN: "from-env" },
  });
  expect(tokens).toEqual(["from-stdin", "from-dash", "from-file", "from-env"]);
  expect(JSON.parse(run.out)).toMatchObject({ schema: 1, ok: true, connection: { name: "git.acme.lan" } });
  expect(run.out + run.err).not.toContain("from-env");
  for (const input of ["", "two words", "x".repeat(100_000)]) {
    expect((await runFairlead(server.url, `connect ${url}`, { input })).code).toBe(2);
  }
  expect((await runFairlead(server.url, `connect ${url} --token-file ${folder}/absent`)).code).toBe(2);
  await rm(folder, { recursive: true });
});

test("connect fails: title, cause, fix with links into that GitLab, evidence; exit 1", async () => {
  const connect = () =>
    Promise.reject(
      Fault.of("INSUFFICIENT_SCOPES", "missing_api", {
        evidence: { status: 403, words: "nope\u001B[2J", requestId: "01GITLAB" },
      }),
    );
  await using server = await startTestServer({ services: fakeServices({ connections: { connect } }) });
  const run = await runFairlead(server.url, "connect https://git.acme.lan/gitlab/", { input: "t" });
  expect(run.code).toBe(1);
  for (const part of [
    "INSUFFICIENT_SCOPES",
    "Fix:",
    "https://git.acme.lan/gitlab/-/",
    "status: 403",
    "words: nope",
    "requestId: 01GITLAB",
    "fairleadRequestId: req_",
  ]) {
    expect(run.err).toContain(part);
  }
  expect(run.err).not.toContain("\u001B");
  const json = await runFairlead(server.url, "connect https://git.acme.lan --json", { input: "t" });
  expect([json.code, JSON.parse(json.out)]).toMatchObject([
    1,
    {
      schema: 1,
      ok: false,
      error: { code: "INSUFFICIENT_SCOPES", reason: "missing_api", evidence: { status: 403 } },
    },
  ]);
});

test("check needs no server: problems first, exit 1 when there is one", async () => {
  const failed = {
    ...diagnosis,
    ok: false,
    checks: [
      ...diagnosis.checks,
      {
        id: "token.alive",
        state: "fail",
        title: "The token is dead",
        evidence: "401",
        evidenceSource: "live",
        fix: "Make one",
        ms: 3,
      },
    ],
    error: {
      code: "AUTH_FAILED",
      reason: "expired",
      title: "The token has expired",
      cause: "It ended.",
      fix: ["Make a new one"],
      evidence: { status: 401 },
    },
  } as const;
  const seen: unknown[] = [];
  const check =
    (answer: typeof diagnosis) => async (request: { url: string; token: { reveal(): string } }) => {
      seen.push([request.url, request.token.reveal()]);
      return { diagnosis: answer };
    };
  const bad = await runFairlead(NO_SERVER, "check https://git.acme.lan", {
    input: "t",
    checkConnection: check(failed),
  });
  expect(bad.code).toBe(1);
  expect(bad.out.indexOf("The token has expired")).toBeLessThan(bad.out.indexOf("Expires in 14 days"));
  expect(bad.out).toMatch(/1 problem {3}! 1 warning {3}✓ 1 fine/);
  const good = await runFairlead(NO_SERVER, "check https://git.acme.lan --json", {
    input: "t",
    checkConnection: check(diagnosis),
  });
  expect([good.code, JSON.parse(good.out)]).toEqual([0, diagnosis]);
  expect(seen).toEqual([
    ["https://git.acme.lan", "t"],
    ["https://git.acme.lan", "t"],
  ]);
});

test("lists: text for people, one JSON object per line for programs", async () => {
  const services = fakeServices({
    connections: { list: async () => [connection] },
    apps: {
      list: async () => [app],
      get: async () => app,
      getHookByHand: async () => ({
        page: "https://git.acme.lan/acme/shop/-/hooks",
        url: "https://deploy.acme.lan/hooks/gitlab/x",
        secret: new Secret("s3cret"),
        triggers: ["Push events"],
      }),
      listEvents: async () => [{ at: new Date(), kind: "linked", text: "Linked" }],
    },
    deployments: { list: async () => [deployment] },
    pushes: {
      list: async () => [delivery, delivery],
      dryRun: async () => ({
        ref: "x",
        commit: null,
        outcomes: [{ environment: "production", deploys: false, reason: "not main" }],
      }),
    },
  });
  await using server = await startTestServer({ services });
  const expected = {
    connections: ["git.acme.lan", 1],
    apps: ["http://shop.localhost:8080", 1],
    "app shop": ["Fix cart", 1],
    "app shop --hook": ["Secret token      s3cret", 1],
    "events shop": ["Linked", 1],
    "deployments shop": ["3f2a9c1b", 1],
    "deliveries shop": ["branch feature/x is not deployed", 2],
    "try shop x": ["not main", 1],
  } as const;
  for (const [words, [text, count]] of Object.entries(expected)) {
    const run = await runFairlead(server.url, words);
    expect([words, run.code, run.err]).toEqual([words, 0, ""]);
    expect(run.out).toContain(text);
    expect(run.out).not.toContain("\u001B");
    const json = await runFairlead(server.url, `${words} --json`);
    const objects = json.out
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as object);
    expect(objects).toHaveLength(count);
  }
});

test("what was left behind in GitLab is named, and is exit 1", async () => {
  const left = [{ what: "hook", id: 9, url: "https://git.acme.lan/x/-/hooks/9", why: "403" }] as const;
  const services = fakeServices({
    apps: {
      get: (name) => (name === "shop" ? Promise.resolve(app) : notFound()),
      unlink: async () => ({ left }),
      disconnect: async () => ({ left: [] }),
    },
  });
  await using server = await startTestServer({ services });
  const unlinked = await runFairlead(server.url, "unlink shop");
  expect(unlinked.code).toBe(1);
  expect(unlinked.out).toContain("https://git.acme.lan/x/-/hooks/9");
  expect((await runFairlead(server.url, "disconnect git.acme.lan")).code).toBe(0);
  const misspelt = await runFairlead(server.url, "unlink shpo");
  expect([misspelt.code, misspelt.out]).toEqual([1, ""]);
  expect(misspelt.err).toContain("NOT_FOUND");
});

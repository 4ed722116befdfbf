import { mkdtempDisposable, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { expect, test } from "vitest";
import { runSandbox, type SandboxCommandOptions } from "./command.ts";
import type { Facts } from "./start-text.ts";
import { createSandbox } from "./sandbox.ts";
import { openScene } from "./scene.suite.ts";

test("prints an address on loopback, a token that works and a warning, and ends with the signal", async () => {
  const lines: string[] = [];
  const stop = new AbortController();
  const running = runSandbox({ version: "15.3.0", port: 0 }, (line) => lines.push(line), stop.signal);
  await expect.poll(() => lines.at(-1), { timeout: 10_000 }).toContain("Ctrl-C");
  const text = lines.join("\n");
  const url = /http:\/\/127\.0\.0\.1:\d+/.exec(text)?.[0] ?? "";
  const token = /glpat-\S+/.exec(text)?.[0] ?? "";
  expect(text).toContain("no place for real code");
  const answer = await fetch(`${url}/api/v4/projects/demo%2Fhello`, { headers: { "PRIVATE-TOKEN": token } });
  expect(answer.status).toBe(200);
  stop.abort();
  await running;
  await expect(fetch(url)).rejects.toThrow("fetch failed");
});

test("an impossible version is refused before anything starts", async () => {
  const ask = runSandbox({ version: "latest" }, () => {}, new AbortController().signal);
  await expect(ask).rejects.toThrow(RangeError);
});

test("a folder of an earlier sandbox is refused: its repositories have lost their projects", async () => {
  await using folder = await mkdtempDisposable(join(tmpdir(), "sandbox-command-"));
  const first = await createSandbox({ dataDir: folder.path });
  await first.close();
  await first.close();
  await expect(createSandbox({ dataDir: folder.path })).rejects.toThrow(RangeError);
});

test("a data folder may be named from here, and branches are guarded in it", async () => {
  await using folder = await mkdtempDisposable(join(tmpdir(), "sandbox-command-"));
  const dataDir = relative(process.cwd(), join(folder.path, "data"));
  await using scene = await openScene({ dataDir });
  await scene.git("clone", scene.remote(), "work");
  const sha = "0123456789".repeat(4);
  const push = await scene.git("-C", "work", "push", "origin", `HEAD:refs/heads/${sha}`);
  expect(push.output).toContain("You cannot create a branch with a 40-character hexadecimal branch name.");
});

test("a data folder that cannot be one is refused with a reason", async () => {
  await expect(createSandbox({ dataDir: "/dev/null/x" })).rejects.toThrow(
    "the data folder cannot be made: ENOTDIR",
  );
});

/** Starts with `--json`, lets a test look, and ends it. */
async function withSandbox(
  options: SandboxCommandOptions,
  look: (facts: Facts, lines: readonly string[]) => Promise<void>,
): Promise<void> {
  const lines: string[] = [];
  const stop = new AbortController();
  const running = runSandbox({ json: true, ...options }, (line) => lines.push(line), stop.signal);
  try {
    // Whatever refuses to start is told by `running` below.
    await expect.poll(() => lines.length, { timeout: 20_000 }).toBeGreaterThan(0);
    await look(JSON.parse(lines[0] ?? "{}"), lines);
  } finally {
    stop.abort();
    await running;
  }
}

const SCENARIO = {
  version: "17.4.0",
  relativeUrl: "/gitlab",
  faults: { webhooks: { delayMs: 20 } },
  settings: { projectHooksLimit: 2 },
  steps: [
    { action: "create_user", username: "eva" },
    { action: "create_project", path: "acme/api", owner: "eva", files: { "a.txt": "1\n" } },
    { action: "create_token", user: "eva", name: "ci", scopes: ["read_api"] },
    { action: "set_project", project: "acme/api", archived: true, afterMs: 100 },
    { action: "set_member", place: "nowhere", user: "eva", role: "guest", afterMs: 50 },
  ],
};

test("a scenario says what it is, what it holds, its knobs, and what happens later; options win over it", async () => {
  await using folder = await mkdtempDisposable(join(tmpdir(), "sandbox-scenario-"));
  const scenario = join(folder.path, "s.json");
  await writeFile(scenario, JSON.stringify(SCENARIO));
  const set = ["settings.projectHooksLimit=7", "faults.front.redirectTo=https://x.example"];
  await withSandbox({ scenario, version: "17.5.0", set, projects: 3 }, async (facts, lines) => {
    expect([facts.version, facts.users, facts.token]).toEqual(["17.5.0", ["root", "eva"], undefined]);
    expect(facts.url).toMatch(/\/gitlab$/);
    const value = String(Reflect.get(facts.steps?.[2] ?? {}, "value"));
    const ask = async (path: string) =>
      (await fetch(`${facts.url}/api/v4${path}`, { headers: { "PRIVATE-TOKEN": value } })).json();
    expect(await ask("/user")).toMatchObject({ username: "eva" });
    const knobs = await (await fetch(facts.control)).json();
    expect(knobs).toMatchObject({
      faults: { webhooks: { delayMs: 20 }, front: { redirectTo: "https://x.example" } },
      settings: { projectHooksLimit: 7 },
    });
    await expect.poll(() => ask("/projects/acme%2Fapi"), { timeout: 5000 }).toMatchObject({ archived: true });
    expect(lines[1]).toBe('{"problem":"set_member: there is no project nowhere"}');
    const held: unknown = await (await fetch(`${facts.control}/contents`)).json();
    expect(Reflect.get(Object(held), "projects")).toHaveLength(4);
    const back = { method: "PUT", headers: { "Content-Type": "application/json" }, body: "{}" };
    expect(await (await fetch(facts.control, back)).json()).toMatchObject({
      settings: { projectHooksLimit: 7 },
    });
  });
});

test.each([
  [{ scenario: "/nowhere/s.json" }, "the scenario cannot be read: ENOENT"],
  [{ set: ["faults.latencyMs"] }, "--set faults.latencyMs is not NAME=VALUE"],
  [{ set: ["faults.nope=1", "x=2"] }, "faults.nope: there is no such knob; x: there is no such knob"],
  [{ set: ["faults.latencyMs=fast"] }, "faults.latencyMs: expected number, received string"],
  [{ relativeUrl: "git lab" }, "no good relative URL root"],
])("%j is refused before anything is told", async (options, words) => {
  const lines: string[] = [];
  const asked = runSandbox(options, (line) => lines.push(line), new AbortController().signal);
  await expect(asked).rejects.toThrow(RangeError);
  await expect(asked).rejects.toThrow(words);
  expect(lines).toEqual([]);
});

test("at another address it warns, and the control asks for the token that was told once", async () => {
  await withSandbox({ host: "0.0.0.0" }, async ({ control, controlToken = "" }) => {
    expect(controlToken.length).toBeGreaterThan(20);
    const ask = (headers: Record<string, string>) => fetch(`${control}/contents`, { headers });
    const without = await ask({});
    expect([without.status, without.headers.get("www-authenticate")]).toEqual([
      401,
      'Basic realm="Fairlead sandbox"',
    ]);
    expect((await ask({ Authorization: "Bearer wrong" })).status).toBe(401);
    expect((await ask({ Authorization: `Bearer ${controlToken}` })).status).toBe(200);
    const basic = Buffer.from(`me:${controlToken}`).toString("base64");
    const answer = await ask({ Authorization: `Basic ${basic}` });
    expect([answer.status, (await answer.text()).includes(controlToken)]).toEqual([200, false]);
    expect((await fetch(new URL("/", control))).status).toBe(401);
    expect((await ask({ Authorization: `Basic ${basic}`, Origin: "http://evil.example" })).status).toBe(403);
  });
  const lines: string[] = [];
  const stop = new AbortController();
  const running = runSandbox({ host: "0.0.0.0" }, (line) => lines.push(line), stop.signal);
  await expect.poll(() => lines.at(-1), { timeout: 10_000 }).toContain("Ctrl-C");
  stop.abort();
  await running;
  expect(lines.join("\n")).toMatch(
    /WARNING: it listens at 0\.0\.0\.0.*\nControl token, told only now: sandbox-/,
  );
});

test("with TLS it says where the CA is", async () => {
  await withSandbox({ tls: true }, async ({ url, certificates }) => {
    expect(url).toMatch(/^https:/);
    expect(certificates?.ca).toMatch(/ca\.pem$/);
  });
});

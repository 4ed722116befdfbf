import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer as createHttpServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test, vi } from "vitest";
import { runFairlead } from "../../test/support/cli.ts";
import { API_TOKEN, startTestServer } from "../../test/support/http-server.ts";
import { fakeServices } from "../../test/support/services.ts";
import { Fault } from "../faults/fault.ts";

const NO_SERVER = "http://127.0.0.1:1";

test("no server: exit 3, in words and in JSON", async () => {
  const text = await runFairlead(NO_SERVER, "apps");
  expect([text.code, text.out]).toEqual([3, ""]);
  expect(text.err).toContain("fairlead serve");
  const json = await runFairlead(NO_SERVER, "apps --json");
  expect(json.code).toBe(3);
  expect(JSON.parse(json.out)).toMatchObject({ ok: false, error: { code: "SERVER_UNREACHABLE" } });
});

test("something else answers there: exit 3, and nothing of it is believed", async () => {
  const other = createHttpServer((_request, response) => response.end("<html>hello</html>"));
  await new Promise<void>((resolve) => other.listen(0, "127.0.0.1", resolve));
  const run = await runFairlead(`http://127.0.0.1:${(other.address() as AddressInfo).port}`, "apps");
  other.close();
  expect(run.code).toBe(3);
  expect(run.err).toContain("Something else");
});

test("the API token is not carried to where a redirect points", async () => {
  const seen: (string | undefined)[] = [];
  const other = createHttpServer((request, response) => {
    seen.push(request.headers.authorization);
    response.writeHead(302, { location: "/elsewhere" }).end();
  });
  await new Promise<void>((resolve) => other.listen(0, "127.0.0.1", resolve));
  const run = await runFairlead(`http://127.0.0.1:${(other.address() as AddressInfo).port}`, "apps");
  other.close();
  expect([run.code, seen]).toEqual([3, [`Bearer ${API_TOKEN}`]]);
});

test("the token comes from the data folder; without it: exit 3 and where it was looked for", async () => {
  const dataDir = await mkdtemp(join(tmpdir(), "fairlead-cli-"));
  await using server = await startTestServer({ services: fakeServices({ apps: { list: async () => [] } }) });
  const env = { FAIRLEAD_API_TOKEN: "", FAIRLEAD_DATA_DIR: dataDir };
  const without = await runFairlead(server.url, "apps", { env });
  expect(without.code).toBe(3);
  expect(without.err).toContain(join(dataDir, "api-token"));
  await writeFile(join(dataDir, "api-token"), `${API_TOKEN}\n`);
  expect((await runFairlead(server.url, "apps", { env })).code).toBe(0);
  const wrong = await runFairlead(server.url, "apps", { env: { FAIRLEAD_API_TOKEN: "flt_wrong" } });
  expect(wrong.code).toBe(1);
  expect(wrong.err).toContain("UNAUTHORIZED");
  expect(wrong.err).not.toContain("flt_wrong");
  await rm(dataDir, { recursive: true });
});

test.each([
  "connect https://git.acme.lan glpat-abcdefghij0123456789",
  "check https://oauth2:hunter2@git.acme.lan",
  "check https://git.acme.lan --token hunter2",
  "connect https://git.acme.lan --token=hunter2",
  "check https://git.acme.lan --private-token hunter2",
  `apps ${API_TOKEN}`,
])("a token as argument is refused and not repeated: %s", async (words) => {
  const run = await runFairlead(NO_SERVER, words);
  expect(run.code).toBe(2);
  expect(run.err).toContain("--token-file");
  expect(run.out + run.err).not.toMatch(/hunter2|abcdefghij|ttttt/);
});

test.each([
  "",
  "frobnicate",
  "link onlyone",
  "logs",
  "logs shop --deployment dep_1",
  "deploy shop --reff x",
  "logs shop --tail all",
  "deployments shop --limit -1",
  "deployments shop --before x",
  "deliveries shop --limit 1e3",
  "events shop --limit 2.5",
  "check",
])("wrong usage is exit 2: %j", async (words) => {
  const run = await runFairlead(NO_SERVER, words);
  expect(run.code).toBe(2);
  expect(run.err).not.toBe("");
});

test("every command has help with an example, and help needs no configuration", async () => {
  const config = () => {
    throw Fault.of("CONFIG_INVALID", "", { message: "broken" });
  };
  const { out, code } = await runFairlead(NO_SERVER, "--help", { config });
  expect(code).toBe(0);
  const commands = [...out.matchAll(/^ {2}([a-z]+) .*?(?=\s{2,})/gm)].map((match) => match[1]!);
  expect(commands).toEqual(
    expect.arrayContaining(["demo", "serve", "check", "connect", "link", "deploy", "rollback", "replay"]),
  );
  for (const command of commands.filter((name) => name !== "help")) {
    const help = await runFairlead(NO_SERVER, `${command} --help`, { config });
    expect([command, help.code]).toEqual([command, 0]);
    expect(help.out).toContain(`$ fairlead ${command}`);
    expect(help.out).toContain("--json");
  }
});

test("a broken configuration: exit 2 with every problem", async () => {
  const run = await runFairlead(NO_SERVER, "apps", { env: { FAIRLEAD_PORT: "x", FAIRLEAD_EDGE_PORT: "y" } });
  expect(run.code).toBe(2);
  expect(run.err).toMatch(/FAIRLEAD_PORT[^]*FAIRLEAD_EDGE_PORT/);
});

test("what runs in this process is called with the configuration and its options", async () => {
  const serve = vi.fn(async () => 7);
  const backup = vi.fn(async () => ({ summary: "Wrote 3 MB", facts: { bytes: 3 } }));
  const never = () => Promise.reject(new Error("unexpected"));
  const local = {
    serve,
    backup,
    demo: vi.fn(async () => 0),
    sandbox: vi.fn(async () => Promise.reject(new RangeError("no GitLab version: 1"))),
    sandboxHelp: () => "",
    restore: never,
    rekey: never,
  };
  const run = await runFairlead(NO_SERVER, "serve --port 0 --allow-unisolated", {
    local,
    env: { FAIRLEAD_PROT: "1" },
  });
  expect(run.code).toBe(7);
  expect(run.err).toContain("FAIRLEAD_PROT");
  expect(serve).toHaveBeenCalledWith(expect.objectContaining({ port: 0, allowUnisolated: true }), {
    json: false,
  });
  await runFairlead(NO_SERVER, "demo --once", { local });
  expect(local.demo).toHaveBeenCalledWith({ once: true, json: false });
  const kept = await runFairlead(NO_SERVER, "backup f --json", { local });
  expect(JSON.parse(kept.out)).toEqual({ ok: true, bytes: 3 });
  expect((await runFairlead(NO_SERVER, "sandbox --port x", { local })).code).toBe(2);
  expect(local.sandbox).not.toHaveBeenCalled();
  const impossible = await runFairlead(NO_SERVER, "sandbox --version 1", { local });
  expect([impossible.code, impossible.err]).toEqual([2, "Not possible: no GitLab version: 1.\n"]);
});

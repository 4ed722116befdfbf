import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtempDisposable, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { findInFiles, findInText, huntLeaks, type HuntReport } from "../../test/support/leak-hunter.ts";

const TOKEN = "glpat-~?~?~?>>>Zq9/x+Y'7 $k\"w=";
const OTHER = "another-secret-0123456789";
const SECRETS = [OTHER, TOKEN];

const LOWER_PERCENT = encodeURIComponent(TOKEN).replace(/%../g, (code) => code.toLowerCase());

const WRITTEN: [form: string, text: string][] = [
  ["plain", TOKEN],
  ["url-encoded", encodeURIComponent(TOKEN)],
  ["url-encoded", LOWER_PERCENT],
  ["url-encoded", new URLSearchParams({ t: TOKEN }).toString()],
  ["url-encoded", Buffer.from(TOKEN).toString("hex").replace(/../g, "%$&")],
  ["base64+0", Buffer.from(`abc${TOKEN}tail`).toString("base64")],
  ["base64+1", Buffer.from(`abcd${TOKEN}tail`).toString("base64")],
  ["base64+2", Buffer.from(`ab${TOKEN}`).toString("base64")],
  ["base64url+1", Buffer.from(`a${TOKEN}`).toString("base64url")],
  ["hex", Buffer.from(TOKEN).toString("hex")],
  ["hex", Buffer.from(TOKEN).toString("hex").toUpperCase()],
  ["shell-quoted", `'${TOKEN.replaceAll("'", `'\\''`)}'`],
  ["shell-quoted", TOKEN.replace(/["$`\\]/g, "\\$&")],
  ["json", JSON.stringify({ token: TOKEN })],
];

const PATH = process.env["PATH"] ?? "";

/** Starts a program for each way of writing, all under one hunt. */
async function huntEach(
  start: (text: string) => ChildProcess,
): Promise<{ pid: number | undefined; form: string; report: HuntReport }[]> {
  const hunt = await huntLeaks({ secrets: SECRETS });
  const children = WRITTEN.map(([form, text]) => ({ form, child: start(text) }));
  await Promise.all(children.map(({ child }) => once(child, "exit")));
  const report = await hunt.stop();
  return children.map(({ form, child }) => ({ form, pid: child.pid, report }));
}

describe("in processes", () => {
  test("finds a secret among the words, however it is written", async () => {
    const start = (text: string): ChildProcess =>
      spawn("sh", ["-c", "sleep 0.3", "sh", `--x=${text}`], { env: { PATH }, stdio: "ignore" });
    for (const { pid, form, report } of await huntEach(start)) {
      expect(report.leaks).toContainEqual(expect.objectContaining({ where: "argv", secret: 1, form, pid }));
      expect(report.leaks.every(({ where, secret }) => where === "argv" && secret === 1)).toBe(true);
    }
  });

  test("finds a secret in the environment, however it is written", async () => {
    const start = (text: string): ChildProcess =>
      spawn("sleep", ["0.3"], { env: { PATH, SOME_SETTING: `x ${text} y` }, stdio: "ignore" });
    for (const { pid, form, report } of await huntEach(start)) {
      const leak = { where: "environ", secret: 1, form, pid, program: "sleep" };
      expect(report.leaks).toContainEqual(expect.objectContaining(leak));
      expect(report.leaks.every(({ where }) => where === "environ")).toBe(true);
    }
  });

  test("finds it in a grandchild of the given process that lives for a moment", async () => {
    const hunt = await huntLeaks({ secrets: SECRETS, rootPid: process.pid });
    const script = `(env LEAK=${OTHER} sleep 0.15; :); :`;
    // the words of the shell hold it too: the script comes by standard input
    const child = spawn("sh", ["-s"], { env: { PATH }, stdio: ["pipe", "ignore", "ignore"] });
    child.stdin.end(script);
    await once(child, "exit");
    const { leaks } = await hunt.stop();
    expect(leaks).toContainEqual(expect.objectContaining({ where: "environ", secret: 0, program: "sleep" }));
  });

  test("finds it after an old process has become another program", async () => {
    const hunt = await huntLeaks({ secrets: SECRETS });
    const child = spawn("sh", ["-s"], { env: { PATH }, stdio: ["pipe", "ignore", "ignore"] });
    child.stdin.end(`sleep 0.9; export LATE=${OTHER}; exec sleep 0.15`);
    await once(child, "exit");
    const { leaks } = await hunt.stop();
    expect(leaks).toContainEqual(expect.objectContaining({ where: "environ", secret: 0, pid: child.pid }));
  });

  test("leaves out processes that are not below the given one", async () => {
    const hunt = await huntLeaks({ secrets: SECRETS, rootPid: 2 ** 22 + 1 });
    const child = spawn("sleep", ["0.1"], { env: { PATH, LEAK: OTHER } });
    await once(child, "exit");
    expect(await hunt.stop()).toMatchObject({ leaks: [], processes: 0 });
  });

  test("finds nothing where nothing is, and keeps its pace while the test is busy", async () => {
    const hunt = await huntLeaks({ secrets: SECRETS });
    for (const until = Date.now() + 600; Date.now() < until;);
    const report = await hunt.stop();
    expect(report.leaks).toEqual([]);
    expect(report.processes).toBeGreaterThan(1);
    expect(report.sweeps).toBeGreaterThan(20); // 120 on an idle machine
  });

  test("refuses a secret that chance would find", async () => {
    await expect(huntLeaks({ secrets: ["short"] })).rejects.toThrow("12 characters");
  });
});

describe("in files", () => {
  test.each(WRITTEN)("finds a secret in a git config, a log and a binary: %s", async (form, text) => {
    await using folder = await mkdtempDisposable(join(tmpdir(), "fairlead-hunt-"));
    await mkdir(join(folder.path, "app", ".git"), { recursive: true });
    await writeFile(join(folder.path, "app", ".git", "config"), `[remote "origin"]\n\turl = ${text}\n`);
    await writeFile(join(folder.path, "build.log"), `line\n${text}`);
    const binary = Buffer.concat([Buffer.alloc((1 << 20) - 10, 0xff), Buffer.from(text), Buffer.alloc(99)]);
    await writeFile(join(folder.path, "binary"), binary);
    await writeFile(join(folder.path, "innocent"), "nothing");
    const leaks = await findInFiles([folder.path], SECRETS);
    for (const path of ["app/.git/config", "build.log", "binary"]) {
      expect(leaks).toContainEqual(
        expect.objectContaining({ where: "file", secret: 1, form, path: join(folder.path, path) }),
      );
    }
    expect(leaks.filter((leak) => leak.path?.endsWith("innocent"))).toEqual([]);
  });

  test("finds a secret in a name, and does not follow links", async () => {
    await using folder = await mkdtempDisposable(join(tmpdir(), "fairlead-hunt-"));
    await using outside = await mkdtempDisposable(join(tmpdir(), "fairlead-hunt-"));
    await writeFile(join(outside.path, "secret"), OTHER);
    await symlink(outside.path, join(folder.path, "link"));
    expect(await findInFiles([folder.path], SECRETS)).toEqual([]);
    await writeFile(join(folder.path, `FETCH_${OTHER}`), "");
    expect(await findInFiles([folder.path], SECRETS)).toMatchObject([{ where: "name", secret: 0 }]);
  });
});

test.each(WRITTEN)("finds a secret in a text: %s", (form, text) => {
  expect(findInText(`before ${text} after`, SECRETS)).toContainEqual(
    expect.objectContaining({ where: "text", secret: 1, form }),
  );
  expect(findInText("before and after", SECRETS)).toEqual([]);
});

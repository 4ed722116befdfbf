import { execFile, spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { cp, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { promisify } from "node:util";
import { expect, test as base } from "vitest";
import { deadline } from "../kernel/clock.ts";
import { waitUntil } from "../kernel/retry.ts";

const ROOT = join(import.meta.dirname, "..", "..");

/** Says what it was given; `wait` tells which signals came. */
const MAIN = `
const words: string[] = process.argv.slice(2);
console.log(JSON.stringify({ node: process.versions.node, words, cwd: process.cwd() }));
if (words[0] === "exit") process.exitCode = Number(words[1]);
if (words[0] === "die") process.kill(process.pid, "SIGKILL");
if (words[0] === "wait") {
  const seen: string[] = [];
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => seen.push(signal));
  console.log("ready");
  setTimeout(() => { console.log(seen.join(" ")); process.exit(3); }, 700);
}
`;

async function findOldNode(): Promise<string | null> {
  const folders = [...(process.env["PATH"] ?? "").split(delimiter), "/usr/bin", "/usr/local/bin"];
  for (const program of folders.map((folder) => join(folder, "node")).filter((path) => existsSync(path))) {
    const { stdout } = await promisify(execFile)(program, ["--version"]);
    if (/^v(18|2[0-3])\./.test(stdout)) return program;
  }
  return null;
}

const oldNode = await findOldNode();

interface Fixture {
  readonly folder: string;
  readonly bin: string;
}
const test = base.extend<{ copy: Fixture }>({
  copy: async ({}, use) => {
    const folder = await mkdtemp(join(tmpdir(), "fairlead #1 %20 "));
    await mkdir(join(folder, "bin"));
    await mkdir(join(folder, "src"));
    await mkdir(join(folder, "node_modules", ".bin"), { recursive: true });
    await cp(join(ROOT, "bin", "fairlead.mjs"), join(folder, "bin", "fairlead.mjs"));
    await writeFile(join(folder, "src", "main.ts"), MAIN);
    await writeFile(join(folder, "package.json"), '{ "type": "module" }');
    for (const name of [`node-linux-${process.arch}`]) {
      await symlink(join(ROOT, "node_modules", name), join(folder, "node_modules", name));
    }
    const bin = join(folder, "node_modules", ".bin", "fairlead");
    await symlink("../../bin/fairlead.mjs", bin);
    await use({ folder, bin });
    await rm(folder, { recursive: true });
  },
});

async function run(node: string, bin: string, words: string[], during?: (child: ChildProcess) => void) {
  const child = spawn(node, [bin, ...words], { cwd: "/", stdio: ["ignore", "pipe", "pipe"] });
  const output = { out: "", err: "" };
  child.stdout.on("data", (part) => (output.out += String(part)));
  child.stderr.on("data", (part) => (output.err += String(part)));
  if (during) {
    await waitUntil(() => output.out.includes("ready"), { everyMs: 10, signal: deadline(10_000) });
    during(child);
  }
  const [code, signal] = (await once(child, "close", { signal: deadline(20_000) })) as [
    number | null,
    string | null,
  ];
  return { ...output, code, signal };
}

test("a new Node runs it by itself, from anywhere, through a link", async ({ copy }) => {
  const { out, err, code } = await run(process.execPath, copy.bin, ["a b", "--c"]);
  expect([code, err]).toEqual([0, ""]);
  expect(JSON.parse(out)).toEqual({ node: process.versions.node, words: ["a b", "--c"], cwd: "/" });
  expect((await run(process.execPath, copy.bin, ["exit", "5"])).code).toBe(5);
});

test.skipIf(oldNode === null)(
  "an old Node hands over to the packaged one: words, exit code, signals",
  async ({ copy }) => {
    const old = oldNode!;
    const { out, err, code } = await run(old, copy.bin, ["a b", "--c"]);
    expect([code, err]).toEqual([0, ""]);
    const answer = JSON.parse(out) as { node: string; words: string[] };
    expect(Number(answer.node.split(".")[0])).toBeGreaterThanOrEqual(24);
    expect(answer.words).toEqual(["a b", "--c"]);
    expect((await run(old, copy.bin, ["exit", "5"])).code).toBe(5);
    expect((await run(old, copy.bin, ["die"])).signal).toBe("SIGKILL");
  },
);

test.skipIf(oldNode === null)(
  "signals to the starter alone reach the program, each once",
  async ({ copy }) => {
    const { out, code } = await run(oldNode!, copy.bin, ["wait"], (child) => {
      child.kill("SIGINT");
      child.kill("SIGTERM");
      setTimeout(() => child.kill("SIGTERM"), 100);
    });
    expect(code).toBe(3);
    expect(out.trim().split("\n").at(-1)).toMatch(/^(SIGINT SIGTERM|SIGTERM SIGINT)$/);
  },
);

test.skipIf(oldNode === null)("without a package for the platform it says so", async ({ copy }) => {
  await rm(join(copy.folder, "node_modules", `node-linux-${process.arch}`));
  const { err, code } = await run(oldNode!, copy.bin, ["a"]);
  expect(code).toBe(1);
  expect(err).toContain("Node 24.12");
});

test("below node_modules it says why it cannot run", async ({ copy }) => {
  const inside = join(copy.folder, "node_modules", "fairlead");
  await mkdir(inside);
  for (const part of ["bin", "src", "package.json"])
    await cp(join(copy.folder, part), join(inside, part), { recursive: true });
  const { err, code } = await run(process.execPath, join(inside, "bin", "fairlead.mjs"), []);
  expect(code).toBe(1);
  expect(err).toContain("checkout");
});

test("the starter is JavaScript that Node 18 reads", async () => {
  const text = await readFile(join(ROOT, "bin", "fairlead.mjs"), "utf8");
  expect(text).not.toMatch(/import\.meta\.(dirname|filename|main)|\busing\b|with \{ type/);
});

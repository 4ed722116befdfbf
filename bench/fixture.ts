import { createCipheriv } from "node:crypto";
import { once } from "node:events";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Writable } from "node:stream";
import { launch, run } from "../src/kernel/run.ts";

/** 1,500 files, 40 MB, 10,000 commits: what the numbers in `docs/benchmarks.md` are about. */
const COMMITS = 10_000;
const SMALL_FILES = 1300;
const SMALL_BYTES = 4 * 1024;
const LARGE_FILES = 200;
const LARGE_BYTES = 174 * 1024;
/** Packages of the Node app, and files in each. */
const PACKAGES = 20;
const PACKAGE_FILES = 25;

export type Kind = "static" | "node";
export type Files = Readonly<Record<string, string | Buffer>>;

export interface Fixture {
  /** A bare repository with the branches `static` and `node`. */
  readonly repository: string;
  /** Makes a commit on top of a branch's last one: a few changed files of which one says `stamp`. Returns its id. */
  commit(kind: Kind, stamp: string): Promise<string>;
  /** A repository whose objects this one may use without having them. */
  lend(borrower: string): Promise<void>;
}

/** The whole environment of the git programs of a bench. */
export const GIT_ENV: Readonly<Record<string, string>> = {
  PATH: process.env["PATH"] ?? "/usr/bin:/bin",
  LC_ALL: "C",
  GIT_CONFIG_NOSYSTEM: "1",
  GIT_CONFIG_GLOBAL: "/dev/null",
  GIT_TERMINAL_PROMPT: "0",
};

export async function git(folder: string, ...words: string[]): Promise<string> {
  const { stdout } = await run("git", words, { cwd: folder, env: GIT_ENV, timeoutMs: 10 * 60_000 });
  return stdout.trim();
}

/** The same bytes each time, made with `git fast-import` in a few seconds. */
export async function createFixture(folder: string): Promise<Fixture> {
  const history = join(folder, "history.git");
  const repository = join(folder, "developer.git");
  await git("/", "init", "--quiet", "--bare", "--initial-branch=static", history);
  await importStream(history, (stream) => writeHistory(stream, folder));
  await git("/", "clone", "--quiet", "--bare", "--shared", history, repository);
  const lend = (borrower: string): Promise<void> =>
    writeFile(join(borrower, "objects", "info", "alternates"), `${join(history, "objects")}\n`);
  let count = 0;
  return {
    repository,
    lend,
    async commit(kind, stamp) {
      const text = createText(`change ${++count}`);
      const changed: Record<string, string | Buffer> = {
        [kind === "node" ? "stamp.txt" : "index.html"]: stamp,
      };
      for (let i = 0; i < 9; i++)
        changed[smallFile((count * 97 + i * 131) % SMALL_FILES)] = text(SMALL_BYTES);
      await importStream(repository, async (stream) =>
        writeCommit(stream, kind, `refs/heads/${kind}^0`, stamp, changed),
      );
      return git(repository, "rev-parse", `refs/heads/${kind}`);
    },
  };
}

async function importStream(repository: string, write: (stream: Writable) => Promise<void>): Promise<void> {
  const program = launch("git", ["fast-import", "--quiet", "--force"], {
    cwd: repository,
    env: GIT_ENV,
    keepStdin: true,
  });
  let words = "";
  program.stderr?.on("data", (part: Buffer) => (words += part.toString()));
  if (!program.stdin) throw new Error("git fast-import has no input");
  program.stdin.on("error", () => {}); // it ended before it read all: its words say why
  await write(program.stdin);
  program.stdin.end();
  const { exitCode } = await program.ended;
  if (exitCode !== 0) throw new Error(`git fast-import exited with ${exitCode}: ${words.slice(-500)}`);
}

async function writeHistory(stream: Writable, folder: string): Promise<void> {
  const text = createText("history");
  const first: Record<string, Buffer> = {};
  for (let i = 0; i < SMALL_FILES; i++) first[smallFile(i)] = text(SMALL_BYTES);
  for (let i = 0; i < LARGE_FILES; i++) first[`assets/${String(i).padStart(3, "0")}.txt`] = text(LARGE_BYTES);
  await writeCommit(stream, "static", null, "The first commit", first);
  for (let i = 1; i < COMMITS - 1; i++) {
    await writeCommit(stream, "static", null, `Change ${i}`, {
      [smallFile((i * 7) % SMALL_FILES)]: text(SMALL_BYTES),
    });
  }
  await writeCommit(stream, "node", "refs/heads/static", "A server", await nodeApp(folder));
  await writeCommit(stream, "static", null, "A page", { "index.html": "nothing yet\n" });
}

/** `from` null: goes on where the branch of this stream is. */
async function writeCommit(
  stream: Writable,
  branch: string,
  from: string | null,
  message: string,
  files: Files,
): Promise<void> {
  const parts = [
    `commit refs/heads/${branch}\ncommitter Ada <ada@example.com> 1700000000 +0000\n${data(message)}`,
    from === null ? "" : `from ${from}\n`,
  ];
  const pieces: (string | Buffer)[] = [...parts];
  for (const [path, content] of Object.entries(files)) {
    pieces.push(`M 100644 inline ${path}\ndata ${Buffer.byteLength(content)}\n`, content, "\n");
  }
  const whole = Buffer.concat(pieces.map((piece) => Buffer.from(piece)));
  if (!stream.write(whole)) await once(stream, "drain");
}

function data(text: string): string {
  return `data ${Buffer.byteLength(text)}\n${text}\n`;
}

function smallFile(i: number): string {
  return `src/part-${String(Math.floor(i / 50)).padStart(2, "0")}/file-${String(i % 50).padStart(2, "0")}.txt`;
}

/** Text that compresses to three quarters, as the trees of real projects do: base64 of bytes that depend on the seed alone. */
function createText(seed: string): (bytes: number) => Buffer {
  const cipher = createCipheriv("aes-128-ctr", Buffer.alloc(16), Buffer.from(seed.padEnd(16).slice(0, 16)));
  return (bytes) => {
    const random = cipher.update(Buffer.alloc(Math.ceil((bytes * 3) / 4))).toString("base64");
    return Buffer.from(`${random.slice(0, bytes - 1)}\n`);
  };
}

/** A server with a lockfile and packages that come as archives in the repository, so that no registry is needed. */
async function nodeApp(folder: string): Promise<Files> {
  const work = await mkdtemp(join(folder, "node-app-"));
  await mkdir(join(work, "vendor"));
  const dependencies: Record<string, string> = {};
  const text = createText("packages");
  for (let i = 0; i < PACKAGES; i++) {
    const name = `part-${String(i).padStart(2, "0")}`;
    const source = join(work, "source", "package");
    await mkdir(source, { recursive: true });
    await writeFile(
      join(source, "package.json"),
      `${JSON.stringify({ name, version: "1.0.0", main: "file-0.txt" })}\n`,
    );
    for (let file = 1; file < PACKAGE_FILES; file++)
      await writeFile(join(source, `file-${file}.txt`), text(SMALL_BYTES));
    const words = ["--sort=name", "--mtime=2024-01-01", "--owner=0", "--group=0", "--numeric-owner"];
    const archive = join(work, "vendor", `${name}.tgz`);
    await run("tar", [...words, "-czf", archive, "-C", join(work, "source"), "package"], {
      env: GIT_ENV,
      timeoutMs: 60_000,
    });
    await rm(join(work, "source"), { recursive: true });
    dependencies[name] = `file:vendor/${name}.tgz`;
  }
  const manifest = {
    name: "fixture",
    version: "1.0.0",
    private: true,
    scripts: { start: "node server.js" },
    dependencies,
  };
  await writeFile(join(work, "package.json"), `${JSON.stringify(manifest, null, 2)}\n`);
  const lock = ["install", "--package-lock-only", "--offline", "--no-audit", "--no-fund", "--ignore-scripts"];
  await run("npm", lock, { cwd: work, env: { ...GIT_ENV, HOME: work }, timeoutMs: 120_000 });
  const files: Record<string, Buffer | string> = { "server.js": SERVER, "stamp.txt": "nothing yet\n" };
  for (const name of ["package.json", "package-lock.json"]) files[name] = await readFile(join(work, name));
  for (const name of Object.keys(dependencies))
    files[`vendor/${name}.tgz`] = await readFile(join(work, "vendor", `${name}.tgz`));
  await rm(work, { recursive: true });
  return files;
}

const SERVER = `const { readFileSync } = require("node:fs");
const { createServer } = require("node:http");
const stamp = readFileSync("stamp.txt");
createServer((request, response) => response.end(stamp)).listen(process.env.PORT, "127.0.0.1");
`;

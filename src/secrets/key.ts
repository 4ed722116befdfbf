import { createHash, randomBytes } from "node:crypto";
import type { Stats } from "node:fs";
import { link, mkdir, open, rm } from "node:fs/promises";
import { dirname } from "node:path";
import { Fault } from "../faults/fault.ts";
import { writeFileAtomic } from "../kernel/atomic-file.ts";

/** One 256-bit key. Versions count up from 1; a ciphertext names its key's version. */
export interface Key {
  readonly version: number;
  readonly bytes: Buffer;
}

const KEY_BYTES = 32;
const MAX_VERSION = 0xffff;

const EXPLANATION =
  "# Fairlead's encryption key. Without it the stored tokens cannot be read; with it and the database they can.\n";

/** Says which key it is and nothing about it: 16 hexadecimal digits. */
export function fingerprintOf(key: Key): string {
  return createHash("sha256")
    .update("fairlead key fingerprint\0")
    .update(key.bytes)
    .digest("hex")
    .slice(0, 16);
}

export function newKey(version: number): Key {
  if (version > MAX_VERSION) throw new RangeError("no key version is left");
  return { version, bytes: randomBytes(KEY_BYTES) };
}

/**
 * Reads a key file: lines of `VERSION BASE64`, or one bare base64 line (as `openssl rand -base64 32` makes it), which is version 1. Null when
 * there is none. Throws `KEY_UNUSABLE`: `permissions` when anybody else can read it, `wrong` when it holds no keys.
 */
export async function findKeys(path: string): Promise<Key[] | null> {
  try {
    await using file = await open(path, "r");
    refuseShared(path, await file.stat());
    return parseKeys(await file.readFile("utf8"), path);
  } catch (error) {
    const code = error instanceof Error && "code" in error ? error.code : "";
    if (code === "ENOENT") return null;
    if (code === "EACCES") throw forbidden(path, "closed to it");
    throw error;
  }
}

function refuseShared(path: string, facts: Stats): void {
  const mine = process.geteuid?.() ?? 0;
  const shared = (facts.mode & 0o077) !== 0 || (facts.uid !== mine && facts.uid !== 0);
  if (!facts.isFile() || shared) throw forbidden(path, (facts.mode & 0o7777).toString(8).padStart(4, "0"));
}

function forbidden(path: string, mode: string): Fault {
  return Fault.of("KEY_UNUSABLE", "permissions", {
    message: `the key file ${path} must be a file that only Fairlead's user can read (is ${mode}): chmod 600 ${path}`,
    evidence: { path, mode },
  });
}

export function parseKeys(text: string, path: string): Key[] {
  const lines = text
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "" && !line.startsWith("#"));
  const keys = lines.map((line) => parseKey(line));
  const versions = new Set(keys.map((key) => key?.version));
  if (keys.length === 0 || versions.size !== keys.length || keys.includes(null)) {
    throw Fault.of("KEY_UNUSABLE", "wrong", {
      message: `the key file ${path} does not hold a key: expected 32 bytes as base64`,
      evidence: { path },
    });
  }
  return keys.filter((key) => key !== null).sort((a, b) => a.version - b.version);
}

function parseKey(line: string): Key | null {
  const [, version = "1", base64 = ""] = /^(?:(\d{1,5}) +)?([\w+/=-]+)$/u.exec(line) ?? [];
  const bytes = Buffer.from(base64, "base64");
  const number = Number(version);
  const canonical = bytes.toString("base64") === base64;
  return canonical && bytes.length === KEY_BYTES && number >= 1 && number <= MAX_VERSION
    ? { version: number, bytes }
    : null;
}

export function formatKeys(keys: readonly Key[]): string {
  return EXPLANATION + keys.map((key) => `${key.version} ${key.bytes.toString("base64")}\n`).join("");
}

/** Replaces the file whole or not at all. */
export async function writeKeys(path: string, keys: readonly Key[]): Promise<void> {
  await writeFileAtomic(path, formatKeys(keys));
}

/** Makes the file with a first key unless there is one already, and returns what it then holds. Of two that try at once both get the same. */
export async function ensureKeys(path: string): Promise<Key[]> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  const draft = `${path}.${randomBytes(6).toString("hex")}.new`;
  try {
    await writeKeys(draft, [newKey(1)]);
    await link(draft, path).catch((error: unknown) => {
      if (!(error instanceof Error && "code" in error && error.code === "EEXIST")) throw error;
    });
    await syncFolder(dirname(path));
  } finally {
    await rm(draft, { force: true });
  }
  const keys = await findKeys(path);
  if (keys === null) throw new Error(`the key file ${path} was removed while it was made`);
  return keys;
}

async function syncFolder(path: string): Promise<void> {
  await using folder = await open(path, "r");
  await folder.sync();
}

import { lstat, open, readdir } from "node:fs/promises";
import { join } from "node:path";
import { Worker } from "node:worker_threads";
import { secretForms, type SecretForm } from "./secret-forms.ts";

/** A secret where it does not belong. Says where and how, never the secret itself. */
export interface Leak {
  readonly where: "argv" | "environ" | "file" | "name" | "text";
  /** Index into the `secrets` given. */
  readonly secret: number;
  readonly form: string;
  readonly pid?: number;
  /** `comm` of the process. */
  readonly program?: string;
  readonly path?: string;
  readonly offset?: number;
}

export interface HuntOptions {
  readonly secrets: readonly string[];
  /** Milliseconds between the beginnings of two sweeps. Default 5. */
  readonly everyMs?: number;
  /** Only this process and those it started, itself or through others, since the hunt began. Default: every process that can be read. */
  readonly rootPid?: number;
}

export interface HuntReport {
  readonly leaks: readonly Leak[];
  readonly sweeps: number;
  /** Processes whose words and environment were read. */
  readonly processes: number;
  /** The longest time between the beginnings of two sweeps, in milliseconds: what is shorter may have been missed. */
  readonly longestGapMs: number;
  /** The median of it. */
  readonly medianGapMs: number;
}

export interface Hunt {
  /** Ends the hunt with a last sweep. */
  stop(): Promise<HuntReport>;
}

/**
 * Reads the words and the environment of every process again and again until stopped, in a thread of its own so that a busy test does
 * not blind it. Resolves after the first sweep.
 */
export async function huntLeaks(options: HuntOptions): Promise<Hunt> {
  secretForms(options.secrets); // refuses secrets that are too short here, not in the thread
  const worker = new Worker(new URL("./leak-hunter-thread.ts", import.meta.url), {
    workerData: { everyMs: 5, ...options },
    execArgv: [],
    env: {},
  });
  const { promise: ended, resolve, reject } = Promise.withResolvers<HuntReport>();
  const { promise: ready, resolve: begun } = Promise.withResolvers<void>();
  worker.on("message", (message: "ready" | HuntReport) => (message === "ready" ? begun() : resolve(message)));
  worker.on("error", reject);
  worker.on("exit", (code) => reject(new Error(`the leak hunter ended with ${code}`)));
  await Promise.race([ready, ended]);
  return {
    stop: () => {
      worker.postMessage("stop", []);
      return ended;
    },
  };
}

/** Leaks in a text such as a log or an answer. */
export function findInText(text: string | Uint8Array, secrets: readonly string[]): Leak[] {
  return search(Buffer.from(text), secretForms(secrets)).map(({ form, offset }) => ({
    where: "text",
    secret: form.secret,
    form: form.form,
    offset,
  }));
}

/** Leaks in the content and the names of all files below the folders, hidden ones and binary ones too. Links are read, not followed. */
export async function findInFiles(folders: readonly string[], secrets: readonly string[]): Promise<Leak[]> {
  const forms = secretForms(secrets);
  const leaks: Leak[] = [];
  for (const folder of folders) await walk(folder, forms, leaks);
  return leaks;
}

async function walk(path: string, forms: readonly SecretForm[], leaks: Leak[]): Promise<void> {
  for (const { form } of search(Buffer.from(path), forms)) {
    leaks.push({ where: "name", secret: form.secret, form: form.form, path });
  }
  const stats = await lstat(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return null; // removed while we looked
    throw error;
  });
  if (stats?.isDirectory())
    for (const name of await readdir(path)) await walk(join(path, name), forms, leaks);
  if (stats?.isFile()) for (const leak of await searchFile(path, forms)) leaks.push(leak);
}

const PIECE = 1 << 20;

async function searchFile(path: string, forms: readonly SecretForm[]): Promise<Leak[]> {
  const overlap = Math.max(...forms.map((form) => form.bytes.length));
  const leaks = new Map<string, Leak>();
  await using file = await open(path, "r");
  let before = Buffer.alloc(0);
  for (let position = 0; ;) {
    const { bytesRead, buffer } = await file.read(Buffer.alloc(PIECE), 0, PIECE, position);
    if (bytesRead === 0) return [...leaks.values()];
    const piece = Buffer.concat([before, buffer.subarray(0, bytesRead)]);
    for (const { form, offset } of search(piece, forms)) {
      const leak: Leak = {
        where: "file",
        secret: form.secret,
        form: form.form,
        path,
        offset: position - before.length + offset,
      };
      leaks.set(`${leak.secret} ${leak.form} ${leak.offset}`, leak);
    }
    position += bytesRead;
    before = piece.subarray(-overlap);
  }
}

/** One pass for all forms by their first two bytes: asking `indexOf` for each of some hundred forms took 10 s for a database's 80 MB. */
function search(bytes: Buffer, forms: readonly SecretForm[]): { form: SecretForm; offset: number }[] {
  const byStart = Map.groupBy(forms, ({ bytes: wanted }) => ((wanted[0] ?? 0) << 8) | (wanted[1] ?? 0));
  const isStart = new Uint8Array(1 << 16);
  for (const start of byStart.keys()) isStart[start] = 1;
  const found = new Map<SecretForm, number>();
  for (let offset = 0, last = bytes.length - 1; offset < last; offset++) {
    const start = (bytes[offset]! << 8) | bytes[offset + 1]!;
    if (isStart[start] === 0) continue;
    for (const form of byStart.get(start) ?? []) {
      const end = offset + form.bytes.length;
      if (found.has(form) || end > bytes.length) continue;
      if (form.bytes.compare(bytes, offset, end) === 0) found.set(form, offset);
    }
  }
  return [...found].map(([form, offset]) => ({ form, offset }));
}

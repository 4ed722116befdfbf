import { randomBytes } from "node:crypto";
import { link, readFile, rm, writeFile } from "node:fs/promises";
import { sleep } from "../kernel/clock.ts";
import { findProcess, isRunning, type ProcessIdentity } from "./process-identity.ts";
import { InvalidInput, parseFields, parseInteger, parseText } from "./wire.ts";

export class LockHeld extends Error {
  override readonly name = "LockHeld";
  readonly pid: number;

  constructor(pid: number) {
    super(`held by process ${pid}`);
    this.pid = pid;
  }
}

interface Holder extends ProcessIdentity {
  /** Names this one acquisition. */
  readonly token: string;
}

/**
 * A lock that dies with its process. A lock file appears whole or not at all (`link`); one whose process is gone is replaced
 * under a second lock named after the dead one's token, so that of several who find it dead one alone takes its place. Node has
 * no flock. Throws `LockHeld`.
 */
export async function acquireLock(path: string): Promise<AsyncDisposable> {
  const me = await findProcess(process.pid);
  if (!me) throw new Error("this process is not in /proc");
  const mine: Holder = { ...me, token: randomBytes(8).toString("hex") };
  for (;;) {
    if (await createLock(path, mine)) return { [Symbol.asyncDispose]: () => releaseLock(path, mine) };
    const holder = await readHolder(path);
    if (holder === "gone") continue;
    if (holder !== "unreadable" && (await isRunning(holder))) throw new LockHeld(holder.pid);
    await removeDead(path, holder);
  }
}

/** The running process that holds a lock. */
export async function findLockHolder(path: string): Promise<ProcessIdentity | null> {
  const holder = await readHolder(path);
  return typeof holder === "object" && (await isRunning(holder)) ? holder : null;
}

async function removeDead(path: string, dead: Holder | "unreadable"): Promise<void> {
  const token = dead === "unreadable" ? dead : dead.token;
  try {
    await using stack = new AsyncDisposableStack();
    stack.use(await acquireLock(`${path}.${token}`));
    const now = await readHolder(path);
    const same = dead === "unreadable" ? now === dead : typeof now === "object" && now.token === token;
    if (same) await rm(path, { force: true });
  } catch (error) {
    if (!(error instanceof LockHeld)) throw error;
    await sleep(10);
  }
}

async function createLock(path: string, mine: Holder): Promise<boolean> {
  const temporary = `${path}.${mine.token}.tmp`;
  await writeFile(temporary, JSON.stringify(mine), { mode: 0o600 });
  try {
    await link(temporary, path);
    return true;
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "EEXIST") return false;
    throw error;
  } finally {
    await rm(temporary, { force: true });
  }
}

async function readHolder(path: string): Promise<Holder | "gone" | "unreadable"> {
  try {
    const fields = parseFields(JSON.parse(await readFile(path, "utf8")));
    return {
      pid: parseInteger(fields, "pid", 1, 2 ** 31),
      startedAt: parseText(fields, "startedAt"),
      token: parseText(fields, "token"),
    };
  } catch (error) {
    if (error instanceof InvalidInput || error instanceof SyntaxError) return "unreadable";
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return "gone";
    throw error;
  }
}

async function releaseLock(path: string, mine: Holder): Promise<void> {
  const holder = await readHolder(path);
  if (typeof holder === "object" && holder.token === mine.token) await rm(path, { force: true });
}

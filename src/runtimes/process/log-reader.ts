import { open, stat, type FileHandle } from "node:fs/promises";
import { sleep } from "../../kernel/clock.ts";
import { ifMissing } from "./fences.ts";
import { splitLines } from "./lines.ts";

const POLL_MS = 100;
const CHUNK = 64 * 1024;

export interface ReadOptions {
  readonly tailLines: number;
  readonly follow: boolean;
  readonly signal: AbortSignal;
  /** Whether more may come. Asked before the last look, so that nothing written in between is missed. */
  readonly isAlive: () => Promise<boolean>;
}

/**
 * The last lines of a log and what is added to it. A file that was renamed away while it was read is read to its end; when two
 * renames come between two looks (10 MB in 100 ms) the lines in between are lost.
 */
export async function* readLog(path: string, options: ReadOptions): AsyncIterable<string> {
  const ready: string[] = [];
  const splitter = splitLines((line) => ready.push(line));
  const take = (chunk: Uint8Array): void => splitter.push(chunk);
  await using tail = await readTail(path, options.tailLines, take, ready);
  let { file, position } = tail;
  if (!options.follow) splitter.end();
  yield* lastOf(ready.splice(0), options.tailLines);
  while (options.follow && !options.signal.aborted) {
    const alive = await options.isAlive();
    file ??= await open(path, "r").catch(ifMissing(null));
    if (file !== null) {
      tail.file = file;
      position = await readOn(file, position, take);
      yield* ready.splice(0);
      const next = await findNext(file, path);
      if (next !== null) {
        await readOn(file, position, take);
        await file.close();
        file = next;
        tail.file = next;
        position = 0;
        continue;
      }
    }
    if (!alive) break;
    await sleep(POLL_MS, options.signal).catch(() => {}); // aborted: the loop's condition says so
  }
  if (options.follow) splitter.end();
  yield* ready;
}

interface Tail extends AsyncDisposable {
  /** The file that is read now; closed in the end. */
  file: FileHandle | null;
  readonly position: number;
}

async function readTail(
  path: string,
  count: number,
  take: (chunk: Uint8Array) => void,
  ready: string[],
): Promise<Tail> {
  const bounded = (chunk: Uint8Array): void => {
    take(chunk);
    if (ready.length > count + 10_000) ready.splice(0, ready.length - count);
  };
  const older = await open(`${path}.1`, "r").catch(ifMissing(null));
  if (older !== null) {
    await readOn(older, 0, bounded);
    await older.close();
  }
  const file = await open(path, "r").catch(ifMissing(null));
  const position = file === null ? 0 : await readOn(file, 0, bounded);
  const tail: Tail = { file, position, [Symbol.asyncDispose]: async () => tail.file?.close() };
  return tail;
}

function lastOf(lines: readonly string[], count: number): readonly string[] {
  return count === 0 ? [] : lines.slice(-count);
}

async function readOn(file: FileHandle, from: number, take: (chunk: Buffer) => void): Promise<number> {
  let position = from;
  for (;;) {
    const buffer = Buffer.allocUnsafe(CHUNK);
    const { bytesRead } = await file.read(buffer, 0, CHUNK, position);
    if (bytesRead === 0) return position;
    position += bytesRead;
    take(buffer.subarray(0, bytesRead));
  }
}

/** The file that has taken the place of this one; first the one in between, if this was renamed twice. */
async function findNext(file: FileHandle, path: string): Promise<FileHandle | null> {
  const { ino } = await file.stat();
  const current = await stat(path).catch(ifMissing(null));
  if (current === null || current.ino === ino) return null;
  const older = await stat(`${path}.1`).catch(ifMissing(null));
  const next = older === null || older.ino === ino ? path : `${path}.1`;
  return open(next, "r").catch(ifMissing(null));
}

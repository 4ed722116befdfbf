import { mkdirSync } from "node:fs";
import { enableCompileCache, flushCompileCache } from "node:module";
import { join } from "node:path";

/** Node writes at a normal end only, and a server that was killed shall start fast as well. */
const FLUSH_MS = 10_000;

/**
 * What is imported from now on is kept compiled, types stripped, in the data directory, where nobody but Fairlead may write: a warm start then
 * needs 0.8 s of processor time instead of 1.1 s.
 */
export function keepCompiledCode(dataDir: string): void {
  const folder = join(dataDir, "cache", "code");
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
  } catch {
    return; // the start fails at the same folder in a moment, and says what to do
  }
  enableCompileCache(folder);
  setTimeout(flushCompileCache, FLUSH_MS).unref();
}

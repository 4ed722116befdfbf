import { closeSync, mkdtempSync, openSync, rmSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Secret } from "./secret.ts";

/** Memory that looks like a folder, on Linux: what is written there never reaches a disk. */
const PLACES = ["/dev/shm", tmpdir()];

/**
 * A file that holds a secret and is in no folder any more: only whoever is handed its descriptor can read it, as often as it likes, through
 * `/proc/self/fd`. It is gone with the last descriptor. The caller closes this one.
 */
export function openSecretFile(secret: Secret): number {
  for (const place of PLACES) {
    const folder = makeFolder(place);
    if (folder === null) continue;
    try {
      const descriptor = openSync(join(folder, "secret"), "wx+", 0o600);
      rmSync(folder, { recursive: true, force: true });
      writeAll(descriptor, Buffer.from(secret.reveal()));
      return descriptor;
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  }
  throw new Error("no folder for temporary files can be written to");
}

function makeFolder(place: string): string | null {
  try {
    return mkdtempSync(join(place, "fairlead-"));
  } catch {
    return null; // not on this machine, or not ours to write
  }
}

function writeAll(descriptor: number, bytes: Buffer): void {
  try {
    for (let at = 0; at < bytes.length;) at += writeSync(descriptor, bytes, at);
  } catch (error) {
    closeSync(descriptor);
    throw error;
  }
}

import { open } from "node:fs/promises";
import { basename, dirname } from "node:path";

/** `sun_path` of unix(7) has 108 bytes, the last of which is zero. */
const LONGEST_BYTES = 107;

/**
 * A name of a socket that is short enough to listen on or to connect to: the path itself, or one through an open descriptor of
 * its folder. The name is good until it is disposed of.
 */
export async function shortSocketPath(path: string): Promise<{ readonly path: string } & AsyncDisposable> {
  if (Buffer.byteLength(path) <= LONGEST_BYTES) return { path, [Symbol.asyncDispose]: async () => {} };
  const folder = await open(dirname(path), "r");
  return {
    path: `/proc/self/fd/${folder.fd}/${basename(path)}`,
    [Symbol.asyncDispose]: () => folder.close(),
  };
}

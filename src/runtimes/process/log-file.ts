import { closeSync, fstatSync, openSync, renameSync, writeSync } from "node:fs";

export interface LogFile {
  write(chunk: Uint8Array): void;
  close(): void;
}

/**
 * A log of at most two files: when `path` is full it becomes `path.1`. Written at once and in order, so that a launcher that is killed
 * loses nothing. A full disk loses output, never the replica.
 */
export function openLogFile(path: string, maxBytes: number): LogFile {
  let file = openSync(path, "a", 0o600);
  let size = fstatSync(file).size;
  return {
    write: (chunk) => {
      try {
        if (size > 0 && size + chunk.length > maxBytes) {
          closeSync(file);
          renameSync(path, `${path}.1`);
          file = openSync(path, "a", 0o600);
          size = 0;
        }
        size += writeSync(file, chunk);
      } catch {
        size = maxBytes; // try a fresh file with the next chunk
      }
    },
    close: () => closeSync(file),
  };
}

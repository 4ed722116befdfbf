import { mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { join } from "node:path";
import { Fault } from "../../faults/fault.ts";

export interface PortRange {
  readonly first: number;
  readonly last: number;
}

/**
 * A port that nobody uses, held for `owner` until `releasePort`: by a file that only one can make, and by really listening on it for a
 * moment. Throws `RUNTIME_UNAVAILABLE` when all are taken.
 */
export async function reservePort(folder: string, range: PortRange, owner: string): Promise<number> {
  await mkdir(folder, { recursive: true });
  const size = range.last - range.first + 1;
  const start = Math.floor(Math.random() * size);
  for (let i = 0; i < size; i++) {
    const port = range.first + ((start + i) % size);
    const mine = await writeFile(join(folder, String(port)), owner, { flag: "wx" }).then(
      () => true,
      () => false,
    );
    if (!mine) continue;
    if (await isPortFree(port)) return port;
    await releasePort(folder, port);
  }
  throw Fault.of("RUNTIME_UNAVAILABLE", "", {
    message: `no free port between ${range.first} and ${range.last}`,
  });
}

export async function releasePort(folder: string, port: number): Promise<void> {
  await rm(join(folder, String(port)), { force: true });
}

/** Whether a program could listen on it, on every address. */
export async function isPortFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", () => resolve(false));
    server.listen({ port, host: "0.0.0.0", exclusive: true }, () => server.close(() => resolve(true)));
  });
}

/** Releases ports whose owner is not among the living: a crash came between taking the port and the replica's folder being complete. */
export async function releaseStalePorts(folder: string, isOwner: (owner: string) => boolean): Promise<void> {
  await mkdir(folder, { recursive: true });
  for (const name of await readdir(folder)) {
    const owner = await readFile(join(folder, name), "utf8").catch(() => null);
    if (owner !== null && !isOwner(owner)) await rm(join(folder, name), { force: true });
  }
}

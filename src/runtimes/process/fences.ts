import { mkdir, readdir, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Fault } from "../../faults/fault.ts";
import type { Fence } from "../runtime.ts";

const KEPT_MS = 30 * 24 * 60 * 60 * 1000;

export interface Fences {
  /** Remembers the attempt. Throws `LOST_WORKER` when a higher one of this deployment was seen, by whatever process. */
  raise(fence: Fence): Promise<void>;
  /** Throws `LOST_WORKER` when a higher attempt was seen since. */
  check(fence: Fence): Promise<void>;
  /** The next number of a thing that only one may have at a time: who holds a lower one fails `check` from now on. */
  next(id: string): Promise<Fence>;
}

/**
 * The highest attempt of each deployment, on disk: an empty file per attempt, the highest name counts. Making a file is atomic, so that
 * no lock is needed, which a stopped process could hold for ever. A caller that writes what it is about to do first and checks
 * afterwards cannot miss a newer attempt that raises first and looks for older work afterwards.
 */
export function createFences(folder: string): Fences {
  const highest = async (deploymentId: string): Promise<number> => {
    const names = await readdir(join(folder, safeName(deploymentId))).catch(ifMissing([]));
    return names.reduce((most, name) => Math.max(most, Number(name) || 0), 0);
  };
  const mark = async (deploymentId: string, attempt: number): Promise<void> => {
    await mkdir(join(folder, safeName(deploymentId)), { recursive: true });
    await writeFile(join(folder, safeName(deploymentId), String(attempt)), "");
  };
  const check = async (fence: Fence): Promise<void> => {
    const seen = await highest(fence.deploymentId);
    if (seen > fence.attempt) {
      throw Fault.of("LOST_WORKER", "", {
        message: `attempt ${fence.attempt} of ${fence.deploymentId} was overtaken by attempt ${seen}`,
      });
    }
  };
  return {
    check,
    raise: async (fence) => {
      await check(fence);
      await mark(fence.deploymentId, fence.attempt);
      await check(fence);
    },
    next: async (id) => {
      await mkdir(join(folder, safeName(id)), { recursive: true });
      for (;;) {
        const before = await highest(id);
        const taken = await writeFile(join(folder, safeName(id), String(before + 1)), "", {
          flag: "wx",
        }).catch(ifExists);
        if (taken === "exists") continue;
        await rm(join(folder, safeName(id), String(before - 1)), { force: true });
        return { deploymentId: id, attempt: before + 1 };
      }
    },
  };
}

/** Forgets deployments that were not touched for 30 days: no worker is stopped that long and then goes on. */
export async function pruneFences(folder: string, now: number): Promise<void> {
  for (const name of await readdir(folder).catch(ifMissing([]))) {
    const { mtimeMs } = await stat(join(folder, name));
    if (now - mtimeMs > KEPT_MS) await rm(join(folder, name), { recursive: true, force: true });
  }
}

/** An identifier as a file name. Ours are safe already; anything else must not leave its folder. */
export function safeName(id: string): string {
  if (!/^[A-Za-z0-9][A-Za-z0-9_.-]{0,127}$/.test(id)) {
    throw Fault.of("BAD_REQUEST", "invalid", {
      message: "an identifier holds characters that are not allowed",
    });
  }
  return id;
}

function ifExists(error: unknown): "exists" {
  if (error instanceof Error && "code" in error && error.code === "EEXIST") return "exists";
  throw error;
}

/** For `catch`: the value instead of an error that says that a file is not there. */
export function ifMissing<T>(value: T): (error: unknown) => T {
  return (error) => {
    if (isMissing(error)) return value;
    throw error;
  };
}

export function isMissing(error: unknown): boolean {
  return error instanceof Error && "code" in error && (error.code === "ENOENT" || error.code === "ENOTDIR");
}

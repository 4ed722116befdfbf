import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import * as z from "zod";
import { Fault } from "../../faults/fault.ts";
import { ContainmentShape, ProcessRefShape, SandboxProcessesShape } from "./build-record.ts";
import { ifMissing } from "./fences.ts";
import type { LauncherState } from "./launcher-files.ts";

/** What a replica is, written once by `start` before anything runs. No environment: that goes through a pipe and is never on disk. */
const IdentityShape = z.object({
  replicaId: z.string(),
  environmentId: z.string(),
  releaseId: z.string(),
  deploymentId: z.string(),
  attempt: z.number(),
  port: z.number(),
  containment: ContainmentShape,
  groups: z.array(z.string()),
  createdAt: z.number(),
});
export type Identity = z.infer<typeof IdentityShape>;

const StateShape: z.ZodType<LauncherState> = z.object({
  launcher: ProcessRefShape,
  sandbox: SandboxProcessesShape.nullable(),
  state: z.enum(["starting", "running", "backing_off", "exited"]),
  starts: z.number(),
  exitCode: z.number().nullable(),
  startedAt: z.number(),
});

export async function findIdentity(folder: string): Promise<Identity | null> {
  return findJson(join(folder, "replica.json"), IdentityShape);
}

export async function findState(folder: string): Promise<LauncherState | null> {
  return findJson(join(folder, "state.json"), StateShape);
}

/** The process that holds the replica: known from its first moment, before it wrote a state. */
export async function findClaim(folder: string): Promise<z.infer<typeof ProcessRefShape> | null> {
  return findJson(join(folder, "launcher.json"), ProcessRefShape);
}

export async function listFolders(parent: string): Promise<readonly string[]> {
  return readdir(parent).catch(ifMissing([]));
}

async function findJson<T>(path: string, shape: z.ZodType<T>): Promise<T | null> {
  const text = await readFile(path, "utf8").catch(ifMissing(null));
  if (text === null) return null;
  try {
    return shape.parse(JSON.parse(text));
  } catch (error) {
    throw Fault.of("INTERNAL", "", { message: `${path} does not hold what it should`, cause: error });
  }
}

import { mkdir, readdir, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import * as z from "zod";
import { writeFileAtomic } from "../../kernel/atomic-file.ts";
import { killSandbox, type Containment, type SandboxProcesses } from "./containment.ts";
import { ifMissing } from "./fences.ts";

export const ProcessRefShape = z.object({ pid: z.number(), startTime: z.string(), boot: z.string() });
export const ContainmentShape = z.union([
  z.object({ kind: z.literal("namespace") }),
  z.object({ kind: z.literal("user"), uid: z.number(), setpriv: z.string(), sh: z.string() }),
  z.object({ kind: z.literal("marker"), word: z.string() }),
]);
export const SandboxProcessesShape = z.object({
  wrapper: ProcessRefShape,
  first: ProcessRefShape.nullable(),
});
const RecordShape = z.object({ processes: SandboxProcessesShape, containment: ContainmentShape });

const RECORD = "running.json";

/** Writes down what runs for a build, before it is allowed to begin. `folder` is the build's own. */
export async function recordBuild(
  folder: string,
  processes: SandboxProcesses,
  containment: Containment,
): Promise<void> {
  await writeFileAtomic(join(folder, RECORD), JSON.stringify({ processes, containment }));
}

/**
 * Kills every build of an environment with a turn before `own`, whoever started it, and removes what it left. Its starter may be
 * dead or stopped: its records are all that is needed.
 */
export async function killEarlierBuilds(environmentFolder: string, own: number): Promise<void> {
  await mkdir(environmentFolder, { recursive: true, mode: 0o700 });
  for (const name of await readdir(environmentFolder)) {
    if (!(Number(name) < own)) continue;
    const folder = join(environmentFolder, name);
    const text = await readFile(join(folder, RECORD), "utf8").catch(ifMissing(null));
    if (text !== null) {
      const record = RecordShape.parse(JSON.parse(text));
      await killSandbox(record.processes, record.containment);
    }
    await rm(folder, { recursive: true, force: true });
  }
}

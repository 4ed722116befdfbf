import { sample } from "../../../test/support/sample.ts";
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Runtime } from "../runtime.ts";
import { has, type RuntimeUnderTest } from "../runtime-world.suite.ts";
import { createProcessRuntime, type ProcessRuntimeOptions } from "./process-runtime.ts";

export type Method = "unshare" | "bwrap" | "uid" | "none";
export const METHODS: readonly Method[] = ["unshare", "bwrap", "uid", "none"];

/** One that isolates here, drawn by a seed, and those that are absent with their reason; all of them when FAIRLEAD_FULL is set. */
export function drawMethods(): readonly Method[] {
  const absent = METHODS.filter((method) => whyNot(method) !== null);
  const present = METHODS.filter((method) => whyNot(method) === null && method !== "none");
  if (process.env["FAIRLEAD_FULL"]) return METHODS;
  return [...sample("ways of isolation", present, 1), ...absent];
}

/** Why a way cannot be tried on this machine; null when it can. */
export function whyNot(method: Method): string | null {
  if (method === "bwrap" && !has("bwrap")) return "bubblewrap is not installed";
  return method === "uid" && process.getuid?.() !== 0 ? "only root can become another user" : null;
}

/** A runtime in a data directory of its own. */
export async function openProcessRuntime(
  method: Method,
  changes: Partial<ProcessRuntimeOptions> = {},
): Promise<RuntimeUnderTest & { readonly dataDir: string }> {
  const dataDir = await mkdtemp(join(tmpdir(), "fairlead-runtime-"));
  const folder = join(dataDir, "work");
  await mkdir(folder);
  const another = async (): Promise<Runtime> =>
    createProcessRuntime({
      dataDir,
      nodePath: process.execPath,
      entry: fileURLToPath(new URL("entry.fixture.ts", import.meta.url)),
      portRange: { first: 18_000, last: 19_999 },
      baseEnv: { PATH: process.env["PATH"] ?? "" },
      allowUnisolated: method === "none",
      methods: [method],
      ...changes,
    });
  return {
    runtime: await another(),
    another,
    folder,
    dataDir,
    contains: method !== "none",
    [Symbol.asyncDispose]: async () => rm(dataDir, { recursive: true, force: true }),
  };
}

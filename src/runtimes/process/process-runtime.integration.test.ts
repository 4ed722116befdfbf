import { mkdtemp, mkdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, it } from "vitest";
import { describeRuntime, has, type RuntimeUnderTest } from "../runtime.suite.ts";
import { createProcessRuntime } from "./process-runtime.ts";

const ENTRY = fileURLToPath(new URL("entry.fixture.ts", import.meta.url));

async function make(method: "bwrap" | "unshare" | "uid" | "none"): Promise<RuntimeUnderTest> {
  const dataDir = await mkdtemp(join(tmpdir(), "fairlead-runtime-"));
  const folder = join(dataDir, "work");
  await mkdir(folder);
  const another = async () =>
    createProcessRuntime({
      dataDir,
      nodePath: process.execPath,
      entry: ENTRY,
      portRange: { first: 18_000, last: 19_999 },
      baseEnv: { PATH: process.env["PATH"] ?? "" },
      allowUnisolated: method === "none",
      methods: [method],
    });
  return {
    runtime: await another(),
    another,
    folder,
    contains: method !== "none",
    [Symbol.asyncDispose]: async () => rm(dataDir, { recursive: true, force: true }),
  };
}

const root = process.getuid?.() === 0;
for (const method of ["unshare", "bwrap", "uid", "none"] as const) {
  const missing =
    method === "bwrap" && !has("bwrap")
      ? "bubblewrap is not installed"
      : method === "uid" && !root
        ? "not root"
        : null;
  if (missing === null) describeRuntime(`process runtime by ${method}`, async () => make(method));
  else describe(`process runtime by ${method}`, () => it.skip(missing));
}

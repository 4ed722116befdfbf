import { mkdir } from "node:fs/promises";
import { Fault } from "../faults/fault.ts";
import type { BuildCommand } from "../runtimes/runtime.ts";
import { detectBuild, type BuildPlan } from "../templates/detect.ts";
import { advance, step } from "./advance.ts";
import type { Tree } from "./checkout.ts";
import type { Run } from "./context.ts";
import { findInstallKey, installIsReusable, rememberInstall } from "./install-memory.ts";
import { createRelease, type Release } from "./release.ts";
import { pathsOf } from "./target.ts";

/** Finds out what the repository is, runs its install and build in the sandbox, and copies the result into a release of its own. */
export async function build(run: Run, tree: Tree): Promise<Release> {
  await advance(run, "building");
  const plan = await step(run, "build", async () => {
    const found = await detectBuild(tree.workspace.folder, run.target.build);
    for (const line of found.evidence) run.log.line(line);
    await runCommands(run, found, tree.workspace.folder);
    return found;
  });
  return step(run, "release", () => createRelease(run, plan, tree));
}

async function runCommands(run: Run, plan: BuildPlan, workspace: string): Promise<void> {
  const paths = pathsOf(run.parts.dataDir, run.claim.environmentId);
  const key = await findInstallKey(plan);
  const reuse = await installIsReusable(paths.state, plan, key);
  if (reuse) run.log.line("The lockfile and package.json are unchanged: the installed packages are kept.");
  const commands = commandsOf(plan, reuse);
  if (commands.length === 0) return;
  await requireIsolation(run);
  await mkdir(paths.cache, { recursive: true, mode: 0o700 });
  if (!reuse) await rememberInstall(paths.state, plan.directory, null);
  await run.parts.runtime.build({
    fence: run.claim,
    environmentId: run.claim.environmentId,
    workspace,
    directory: plan.directory,
    cache: paths.cache,
    commands,
    env: {},
    timeoutMs: run.parts.deadlines.build,
    signal: run.signal,
    onLine: (line) => run.log.line(line),
  });
  await rememberInstall(paths.state, plan.directory, key);
}

function commandsOf(plan: BuildPlan, reuseInstall: boolean): BuildCommand[] {
  const install = plan.install !== null && !reuseInstall ? [{ name: "install", argv: plan.install }] : [];
  return plan.build === null ? install : [...install, { name: "build", argv: plan.build }];
}

/** A build runs other people's code: without a sandbox it could read the keys to everything. */
async function requireIsolation(run: Run): Promise<void> {
  const isolation = await run.parts.runtime.isolation();
  if (isolation.isolated || run.parts.allowUnisolated) return;
  throw Fault.of("RUNTIME_UNAVAILABLE", "no_isolation", { message: isolation.explanation });
}

import { readdir, readFile, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { Fault } from "../../faults/fault.ts";
import { run, RunError } from "../../kernel/run.ts";
import { wrapCommand, type Identity } from "./account.ts";
import { MAJOR, type Binaries } from "./binaries.ts";
import { ensureOwned, ensurePrivateFolder, type Layout } from "./folders.ts";
import { initdbArguments } from "./settings.ts";

export interface ServerProgram {
  readonly binaries: Binaries;
  readonly identity: Identity;
  readonly env: Readonly<Record<string, string>>;
}

/** The cluster's folder, initialised and owned by the server's user. Throws `DATABASE_UNAVAILABLE` (wrong_version) for another major. */
export async function ensureCluster(
  program: ServerProgram,
  layout: Layout,
  signal?: AbortSignal,
): Promise<void> {
  const version = await findVersion(layout.cluster);
  if (version === null) {
    await refuseOtherMajor(layout);
    await initialise(program, layout, signal);
  } else if (version !== String(MAJOR)) {
    throw wrongVersion(layout.cluster, version);
  }
  if (program.identity.owner !== null) await ensureOwned(layout.cluster, program.identity.owner);
}

async function findVersion(cluster: string): Promise<string | null> {
  try {
    return (await readFile(join(cluster, "PG_VERSION"), "utf8")).trim();
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return null;
    throw error;
  }
}

async function refuseOtherMajor(layout: Layout): Promise<void> {
  const other = (await readdir(layout.root)).find((name) => /^pg\d+$/u.test(name) && name !== `pg${MAJOR}`);
  if (other === undefined) return;
  throw wrongVersion(join(layout.root, other), other.slice(2));
}

function wrongVersion(folder: string, version: string): Fault {
  return Fault.of("DATABASE_UNAVAILABLE", "wrong_version", {
    message: `${folder} holds a PostgreSQL ${version} database; this Fairlead brings PostgreSQL ${MAJOR}. Start the Fairlead that made it, run "fairlead backup FILE", move ${folder} away, then "fairlead restore FILE" with this one.`,
    evidence: { folder, version },
  });
}

/** Measured 0.8 to 1.0 s, 1.8 s on a busy machine. */
async function initialise(program: ServerProgram, layout: Layout, signal?: AbortSignal): Promise<void> {
  await removeHalfMade(layout);
  await ensurePrivateFolder(layout.fresh, program.identity.owner);
  const command = wrapCommand(program.identity, program.binaries.initdb, initdbArguments(layout.fresh));
  try {
    await run(command.file, command.words, {
      ...program.identity.spawnAs,
      ...(signal === undefined ? {} : { signal }),
      env: program.env,
      timeoutMs: 120_000,
      cwd: "/",
    });
  } catch (cause) {
    throw Fault.of("DATABASE_UNAVAILABLE", "", {
      message: `PostgreSQL could not make its data folder ${layout.cluster}`,
      evidence: cause instanceof RunError ? { words: cause.stderr.slice(-2000) } : {},
      cause,
    });
  }
  await rename(layout.fresh, layout.cluster);
}

async function removeHalfMade(layout: Layout): Promise<void> {
  const prefix = `pg${MAJOR}.new-`;
  const left = (await readdir(layout.root)).filter((name) => name.startsWith(prefix));
  for (const name of left) await rm(join(layout.root, name), { recursive: true, force: true, maxRetries: 5 });
}

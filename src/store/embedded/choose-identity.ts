import { lstat } from "node:fs/promises";
import { Fault } from "../../faults/fault.ts";
import { run, RunError } from "../../kernel/run.ts";
import { listIdentities, wrapCommand, type Identity } from "./account.ts";
import type { Binaries } from "./binaries.ts";
import { ensurePrivateFolder, makePassable, type Layout } from "./folders.ts";

/**
 * The first way of running PostgreSQL that works here, found out by running its program and by writing below the data folder. A separate
 * user comes before a user namespace, because only that one cannot read Fairlead's key.
 */
export async function chooseIdentity(
  binaries: Binaries,
  layout: Layout,
  env: Readonly<Record<string, string>>,
): Promise<Identity> {
  const failures: string[] = [];
  for (const identity of await listIdentities(process.getuid?.() ?? 0, binaries.postgres)) {
    const failure = await probe(identity, binaries, layout, env);
    if (failure === null) return identity;
    failures.push(`${identity.name}: ${failure}`);
  }
  throw Fault.of("DATABASE_UNAVAILABLE", "", {
    message:
      "PostgreSQL cannot run here: it refuses to run as root, and no other user can reach both its program and the data folder. Start Fairlead as an ordinary user, move both to folders that others may enter, or set DATABASE_URL.",
    evidence: { words: failures.join("\n").slice(0, 2000) },
  });
}

async function probe(
  identity: Identity,
  binaries: Binaries,
  layout: Layout,
  env: Readonly<Record<string, string>>,
): Promise<string | null> {
  const target = (await exists(layout.cluster)) ? layout.cluster : layout.fresh;
  const tryRun = async (program: string, ...words: string[]): Promise<void> => {
    const command = wrapCommand(identity, program, words);
    await run(command.file, command.words, { ...identity.spawnAs, env, timeoutMs: 20_000, cwd: "/" });
  };
  const restore = await makePassable(layout.root, identity.owner);
  try {
    await tryRun(binaries.postgres, "--version");
    await ensurePrivateFolder(target, identity.owner);
    await tryRun("test", "-w", target);
    return null;
  } catch (error) {
    await restore();
    if (error instanceof RunError) return `${error.message} ${error.stderr.slice(-300)}`.trim();
    throw error;
  }
}

async function exists(path: string): Promise<boolean> {
  return lstat(path).then(
    () => true,
    () => false,
  );
}

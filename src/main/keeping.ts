import { access } from "node:fs/promises";
import type { Config } from "../config.ts";
import type { LocalResult } from "../cli/local-commands.ts";
import { Fault } from "../faults/fault.ts";
import { Secret } from "../kernel/secret.ts";
import { writeFileAtomic } from "../kernel/atomic-file.ts";
import { findKeys, formatKeys } from "../secrets/key.ts";
import { openVault } from "../secrets/open-vault.ts";
import { rekey } from "../secrets/rekey.ts";
import { writeBackup } from "../store/backup.ts";
import { restoreBackup } from "../store/restore.ts";
import { openStore } from "../store/open.ts";
import { findRunningDatabase } from "../store/embedded/running.ts";
import { silentLogger } from "../telemetry/log.ts";
import { openData } from "./data.ts";
import { readVersion } from "./program.ts";

/** `fairlead backup`: also while the server runs, whose database is then used as it is. */
export async function backup(
  config: Config,
  options: { readonly file: string; readonly withKey: boolean },
  signal: AbortSignal,
): Promise<LocalResult> {
  const running = config.databaseUrl === null ? await findRunningDatabase(config.dataDir) : null;
  await using store =
    running === null
      ? await openData(config, silentLogger, signal)
      : await openStore({ connectionString: running, signal });
  const key = options.withKey ? { key: await readKey(config.keyFile) } : {};
  await writeBackup(store, options.file, { fairleadVersion: readVersion(), signal, ...key });
  const about = options.withKey
    ? "It holds the key: whoever has this file has the tokens."
    : `The key is not in it: keep a copy of ${config.keyFile} apart from it.`;
  return {
    summary: `Wrote ${options.file}. ${about}`,
    facts: { file: options.file, withKey: options.withKey },
  };
}

/** `fairlead restore`: into an empty database, embedded or given. A key in the file is put in its place, unless there is one. */
export async function restore(
  config: Config,
  options: { readonly file: string },
  signal: AbortSignal,
): Promise<LocalResult> {
  await using store = await openData(config, silentLogger, signal);
  const result = await restoreBackup(store, options.file);
  const facts = { rows: result.rows, madeAt: result.madeAt, withKey: result.key !== null };
  const summary = `Restored ${result.rows} rows of ${result.madeAt}.`;
  if (result.key === null)
    return { summary: `${summary} Put its key into ${config.keyFile} before you start the server.`, facts };
  if (await exists(config.keyFile)) {
    throw Fault.of("CONFLICT", "", {
      message: `${summary} But ${config.keyFile} exists already: its key was not replaced by the one in the backup.`,
    });
  }
  await writeFileAtomic(config.keyFile, result.key.reveal());
  return { summary: `${summary} Its key is in ${config.keyFile}.`, facts };
}

/** `fairlead rekey`: with the server stopped. */
export async function rekeyAll(config: Config, signal: AbortSignal): Promise<LocalResult> {
  await using store = await openData(config, silentLogger, signal);
  await openVault(store, { keyFile: config.keyFile });
  const { version, count } = await rekey(store, { keyFile: config.keyFile });
  return { summary: `${count} secrets are encrypted with key ${version} now.`, facts: { version, count } };
}

async function readKey(path: string): Promise<Secret> {
  const keys = await findKeys(path);
  if (keys === null)
    throw Fault.of("KEY_UNUSABLE", "missing", {
      message: `there is no key file ${path} to put into the backup`,
    });
  return new Secret(formatKeys(keys));
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}

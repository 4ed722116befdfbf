import type { LocalResult } from "../cli/local-commands.ts";
import type { Config } from "../config.ts";
import { Fault } from "../faults/fault.ts";
import { exportKeys, importKeys } from "../secrets/carry-key.ts";
import { findKeys, fingerprintOf } from "../secrets/key.ts";
import { openVault } from "../secrets/open-vault.ts";
import { rekey } from "../secrets/rekey.ts";
import { writeBackup } from "../store/backup.ts";
import { findRunningDatabase } from "../store/embedded/running.ts";
import { openStore } from "../store/open.ts";
import { readBackupFacts } from "../store/read-backup.ts";
import { restoreBackup } from "../store/restore.ts";
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
  const key = options.withKey ? { key: await exportKeys(config.keyFile) } : {};
  await writeBackup(store, options.file, { fairleadVersion: readVersion(), signal, ...key }).catch(
    (error: unknown) => {
      throw classifyFile(error, options.file);
    },
  );
  const about = options.withKey
    ? "It holds the key: whoever has this file has the tokens."
    : `The key is not in it: keep a copy of ${config.keyFile} apart from it.`;
  return {
    summary: `Wrote ${options.file}. ${about}`,
    facts: { file: options.file, withKey: options.withKey },
  };
}

/** `fairlead restore`: into an empty database, embedded or given. A key in the file is put in its place. */
export async function restore(
  config: Config,
  options: { readonly file: string },
  signal: AbortSignal,
): Promise<LocalResult> {
  const facts = await readBackupFacts(options.file);
  await refuseOtherKey(config.keyFile, facts.keyFingerprint);
  await using store = await openData(config, silentLogger, signal, facts.schema);
  const result = await restoreBackup(store, options.file);
  if (result.key !== null) await importKeys(config.keyFile, result.key);
  const key =
    result.key === null
      ? `Put the key it was made with into ${config.keyFile} before you start the server.`
      : `Its key is in ${config.keyFile}.`;
  return {
    summary: `Restored ${result.rows} rows of ${result.madeAt}. ${key}`,
    facts: { rows: result.rows, madeAt: result.madeAt, withKey: result.key !== null },
  };
}

/** Before anything is written: tokens that the key at hand cannot open would be found out at the next start only. */
async function refuseOtherKey(path: string, fingerprint: string | null): Promise<void> {
  const keys = await findKeys(path);
  if (keys === null || fingerprint === null || keys.some((key) => fingerprintOf(key) === fingerprint)) return;
  throw Fault.of("KEY_UNUSABLE", "wrong", {
    message: `the key in ${path} is not the one that this backup was made with: put the right one there, or move it away`,
    evidence: { path },
  });
}

/** `fairlead rekey`: with the server stopped. */
export async function rekeyAll(config: Config, signal: AbortSignal): Promise<LocalResult> {
  await using store = await openData(config, silentLogger, signal);
  await openVault(store, { keyFile: config.keyFile });
  const { version, count } = await rekey(store, { keyFile: config.keyFile });
  return { summary: `${count} secrets are encrypted with key ${version} now.`, facts: { version, count } };
}

/** What the file system says of a path that a person gave. */
function classifyFile(error: unknown, path: string): unknown {
  const code = error instanceof Error && "code" in error ? String(error.code) : "";
  const why = FILE_TROUBLE.get(code);
  if (why === undefined) return error;
  return Fault.of("BAD_REQUEST", "invalid", {
    message: `${path} cannot be written: ${why}`,
    evidence: { path, fileError: code },
    cause: error,
  });
}

const FILE_TROUBLE = new Map([
  ["ENOENT", "its folder does not exist"],
  ["ENOTDIR", "its folder is a file"],
  ["EISDIR", "it is a folder"],
  ["EACCES", "this user may not write there"],
  ["EPERM", "this user may not write there"],
  ["EROFS", "the file system is read-only"],
  ["ENOSPC", "the disk is full"],
]);

import { writeFile, rename } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { randomToken } from "../../kernel/ids.ts";
import type { State } from "../state.ts";

const SHELL = fileURLToPath(new URL("shell.ts", import.meta.url));

/** Writes the keys that may come in now, each with the one command it is given. */
export async function writeAuthorizedKeys(state: State, folder: string, socketPath: string): Promise<void> {
  const users = [...state.sshKeys.values()].filter((key) => key.usageType !== "signing");
  const lines = [...users, ...state.deployKeys.values()].map(({ id, key }) =>
    authorizedKey(key, [process.execPath, SHELL, socketPath, `key-${id}`]),
  );
  const temporary = join(folder, `authorized_keys.${randomToken(6)}`);
  await writeFile(temporary, lines.join(""), { mode: 0o600 });
  await rename(temporary, join(folder, "authorized_keys"));
}

/** `sh` runs the command: it puts in what the client wants. The words are ours, the key is two words without its comment. */
export function authorizedKey(key: string, words: readonly string[]): string {
  const [type, encoded] = key.split(/\s+/, 2);
  const quoted = words.map((word) => `'${word.replaceAll("'", "'\\''")}'`).join(" ");
  const command = `exec ${quoted} "$GIT_PROTOCOL" "$SSH_ORIGINAL_COMMAND"`;
  return `restrict,command="${command.replaceAll('"', '\\"')}" ${type} ${encoded}\n`;
}

import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { writeFileAtomic } from "../../kernel/atomic-file.ts";
import { run } from "../../kernel/run.ts";

/** Public keys as `type base64`. */
export interface HostKeys {
  readonly usual: string;
  /** What a machine shows that was set up anew, or that is not the one people think. */
  readonly changed: string;
}

const USUAL = "ssh_host_ed25519_key";
const CHANGED = "changed_host_ed25519_key";

export async function ensureHostKeys(folder: string, searchPath: string): Promise<HostKeys> {
  const [usual, changed] = await Promise.all(
    [USUAL, CHANGED].map((name) => ensureKey(join(folder, name), searchPath)),
  );
  return { usual: usual ?? "", changed: changed ?? "" };
}

async function ensureKey(file: string, searchPath: string): Promise<string> {
  if (!existsSync(file)) {
    const words = ["-q", "-t", "ed25519", "-N", "", "-C", "sandbox", "-f", file];
    await run("ssh-keygen", words, { env: { PATH: searchPath }, timeoutMs: 60_000 });
  }
  const [type, encoded] = (await readFile(`${file}.pub`, "utf8")).split(" ");
  return `${type} ${encoded}`;
}

/** Writes what `sshd` is to do and returns the file: one for each host key, the same every time. */
export async function writeConfiguration(folder: string, changed: boolean): Promise<string> {
  const file = join(folder, changed ? "sshd_config_changed" : "sshd_config");
  if (!existsSync(file)) await writeFileAtomic(file, configuration(folder, changed ? CHANGED : USUAL));
  return file;
}

/** As GitLab's `sshd`: keys only, `git` only, no terminal, no forwarding (those two stand beside each key). */
function configuration(folder: string, hostKey: string): string {
  const quoted = (name: string): string => `"${join(folder, name)}"`;
  return `HostKey ${quoted(hostKey)}
AuthorizedKeysFile ${quoted("authorized_keys")}
StrictModes no
UsePAM no
AuthenticationMethods publickey
PasswordAuthentication no
KbdInteractiveAuthentication no
PermitRootLogin prohibit-password
PermitUserRC no
AllowUsers git
AcceptEnv GIT_PROTOCOL
PidFile none
PrintMotd no
UseDNS no
LogLevel ERROR
`;
}

import { execFile } from "node:child_process";
import { accessSync } from "node:fs";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { findProgram } from "./find-sshd.ts";
import { userEnvironment } from "./git-user.ts";

const run = promisify(execFile);
const PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/** Why SSH cannot be served on this machine; null when it can. */
export async function missingForSsh(folder: string): Promise<string | null> {
  if (findProgram("sshd", PATH) === null) return "no sshd (apt-get install openssh-server)";
  if (findProgram("ssh", PATH) === null) return "no ssh (apt-get install openssh-client)";
  try {
    accessSync(folder);
    await userEnvironment(folder, PATH);
    return null;
  } catch (error) {
    return String(error);
  }
}

export interface Client {
  readonly publicKey: string;
  /** Runs `ssh` with this key. */
  ssh(
    port: number,
    ...words: string[]
  ): Promise<{ readonly code: number; readonly out: string; readonly err: string }>;
  /** The options of `ssh`. */
  readonly words: readonly string[];
  /** For `GIT_SSH_COMMAND`. */
  readonly command: string;
  /** Where this client writes down host keys. */
  readonly knownHosts: string;
}

/** Somebody with a key of their own in a folder of their own. */
export async function createClient(
  folder: string,
  name: string,
  options: { readonly strict?: boolean } = {},
): Promise<Client> {
  const home = join(folder, name);
  await mkdir(home, { recursive: true });
  await run("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-C", name, "-f", join(home, "id")]);
  const knownHosts = join(home, "known_hosts");
  await writeFile(knownHosts, "");
  const words = [
    "-F",
    "/dev/null",
    "-i",
    join(home, "id"),
    "-o",
    "IdentitiesOnly=yes",
    "-o",
    "BatchMode=yes",
    "-o",
    "LogLevel=ERROR",
    "-o",
    `StrictHostKeyChecking=${options.strict ? "yes" : "accept-new"}`,
    "-o",
    `UserKnownHostsFile=${knownHosts}`,
  ];
  return {
    publicKey: (await readFile(join(home, "id.pub"), "utf8")).trim(),
    knownHosts,
    words,
    command: ["ssh", ...words].join(" "),
    ssh: async (port, ...rest) => {
      try {
        const { stdout, stderr } = await run("ssh", [...words, "-p", String(port), "git@127.0.0.1", ...rest]);
        return { code: 0, out: stdout, err: stderr };
      } catch (error) {
        const failed = Object(error);
        return { code: Number(failed.code), out: String(failed.stdout), err: String(failed.stderr) };
      }
    },
  };
}

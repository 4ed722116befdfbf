import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { run, RunError } from "../../kernel/run.ts";

/**
 * The environment in which `sshd` takes `git` for a user of this machine: us, under another name. `libnss_wrapper` answers for the password
 * file, so that no user has to be made and an ordinary user can do it too. Throws a `RangeError` where the library is missing.
 */
export async function userEnvironment(folder: string, searchPath: string): Promise<Record<string, string>> {
  const passwd = join(folder, "passwd");
  const group = join(folder, "group");
  const [uid, gid] = [process.getuid?.() ?? 0, process.getgid?.() ?? 0];
  await writeFile(passwd, users(uid, gid, folder));
  await writeFile(group, `git:x:${gid}:\n`);
  if (uid === 0) await mkdir("/run/sshd", { recursive: true, mode: 0o755 }); // where sshd locks in its unprivileged half
  const environment = {
    PATH: searchPath,
    LC_ALL: "C",
    LD_PRELOAD: "libnss_wrapper.so",
    NSS_WRAPPER_PASSWD: passwd,
    NSS_WRAPPER_GROUP: group,
  };
  if (!(await knowsGit(environment, folder))) {
    throw new RangeError(
      "SSH needs a user named git for sshd, and libnss_wrapper to name one: apt-get install libnss-wrapper",
    );
  }
  return environment;
}

/** `sshd` of root asks for its own user as well. */
function users(uid: number, gid: number, home: string): string {
  return `git:*:${uid}:${gid}:git:${home}:/bin/sh\nsshd:*:65534:65534::/run/sshd:/usr/sbin/nologin\n`;
}

async function knowsGit(env: Readonly<Record<string, string>>, home: string): Promise<boolean> {
  try {
    const { stdout } = await run("getent", ["passwd", "git"], { env, timeoutMs: 30_000 });
    return stdout.includes(`:${home}:`);
  } catch (error) {
    if (error instanceof RunError) return false;
    throw error;
  }
}

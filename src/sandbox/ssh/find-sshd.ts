import { accessSync, constants } from "node:fs";
import { join } from "node:path";

/** The absolute path of `sshd`, without which it does not start. Throws a `RangeError` that says what to install. */
export function findSshd(searchPath: string): string {
  const found = findProgram("sshd", searchPath);
  if (found === null) {
    throw new RangeError("SSH needs OpenSSH's sshd, which is not here: apt-get install openssh-server");
  }
  return found;
}

export function findProgram(name: string, searchPath: string): string | null {
  for (const folder of searchPath.split(":")) {
    const path = join(folder, name);
    if (folder !== "" && isExecutable(path)) return path;
  }
  return null;
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

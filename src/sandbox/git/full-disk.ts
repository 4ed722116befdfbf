import { mkdir, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { run } from "../../kernel/run.ts";
import type { Repositories } from "./repositories.ts";

/** Stands before git for what receive-pack starts: the programs that store objects say what they say on a full disk, and end as they do. */
function wrapper(execPath: string): string {
  return `#!/bin/sh
for word in "$@"; do
  case "$word" in
    index-pack | unpack-objects)
      cat > /dev/null
      echo "fatal: write error: No space left on device" >&2
      exit 128
      ;;
  esac
done
exec '${execPath.replaceAll("'", "'\\''")}/git' "$@"
`;
}

/** What makes a push fail as if the disk of the repositories were full. */
export async function fullDiskEnvironment(box: Repositories): Promise<Record<string, string>> {
  const folder = join(box.root, "full-disk");
  const options = { env: box.environment, timeoutMs: 60_000 };
  const execPath = (await run("git", ["--exec-path"], options)).stdout.trim();
  if ((await mkdir(folder, { recursive: true, mode: 0o700 })) !== undefined) {
    await writeFile(join(folder, "git"), wrapper(execPath), { mode: 0o700 });
    await symlink(join(execPath, "git-http-backend"), join(folder, "git-http-backend"));
  }
  return { GIT_EXEC_PATH: folder };
}

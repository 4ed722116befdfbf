import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { sleep } from "../../src/kernel/clock.ts";

/** Processes whose words, folder or environment name `text`: what somebody left running. */
export async function findProcesses(text: string): Promise<string[]> {
  const found: string[] = [];
  for (const pid of await readdir("/proc")) {
    if (!/^\d+$/.test(pid) || Number(pid) === process.pid) continue;
    const parts = await Promise.all(
      ["cmdline", "environ"].map((name) => readFile(join("/proc", pid, name), "utf8").catch(() => "")),
    );
    if (parts.some((part) => part.includes(text))) found.push(`${pid} ${parts[0]?.replaceAll("\0", " ")}`);
  }
  return found;
}

/** Ends by force whatever names `text`, which must be unique to the test: what nothing else has ended. */
export async function killProcesses(text: string): Promise<void> {
  for (let round = 0; round < 5; round++) {
    const pids = (await findProcesses(text)).map((found) => Number.parseInt(found, 10));
    if (pids.length === 0) return;
    for (const pid of pids) {
      try {
        process.kill(pid, "SIGKILL");
      } catch {} // it has ended meanwhile, or it is another user's child of one that is killed
    }
    await sleep(100);
  }
}

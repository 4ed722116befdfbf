import { readdir, readFile } from "node:fs/promises";
import { sleep } from "../src/kernel/clock.ts";
import { startFairlead } from "../test/support/fairlead.ts";
import { judge, type Bench } from "./result.ts";

/** So long that caches are filled, connections that are not needed are closed, and V8 has given back what starting took. */
const IDLE_MS = 45_000;

/** What all of Fairlead's processes have of the memory when nothing runs: PSS, in which shared pages count for each process in part. */
export const memoryBench: Bench = {
  name: "memory",
  async run(tell, undo) {
    const fairlead = undo.use(await startFairlead({ env: { FAIRLEAD_LOG_LEVEL: "warn" } }));
    await fairlead.end("SIGINT");
    await fairlead.start(); // as after every start but the first
    tell(`waiting ${IDLE_MS / 1000} s`);
    await sleep(IDLE_MS);
    const parts = new Map<string, { mb: number; count: number }>();
    for (const { name, mb } of await listFamily(fairlead.pid())) {
      const part = parts.get(name) ?? { mb: 0, count: 0 };
      parts.set(name, { mb: part.mb + mb, count: part.count + 1 });
    }
    const sum = [...parts.values()].reduce((total, { mb }) => total + mb, 0);
    const detail = [...parts].map(
      ([name, { mb, count }]) => `${name} ${mb.toFixed(0)} MB${count > 1 ? ` (${count} processes)` : ""}`,
    );
    return [
      judge({
        name: "idle memory",
        measured: sum,
        unit: "MB",
        target: { most: 200 },
        detail: detail.join(", "),
      }),
    ];
  },
};

interface Member {
  readonly name: string;
  readonly mb: number;
}

/** A process and everything that descends from it. */
async function listFamily(root: number): Promise<Member[]> {
  const parents = new Map<number, number>();
  for (const name of await readdir("/proc")) {
    const stat = /^\d+$/.test(name) ? await readFile(`/proc/${name}/stat`, "utf8").catch(() => "") : "";
    const [, parent] = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    if (parent !== undefined) parents.set(Number(name), Number(parent));
  }
  const members: Member[] = [];
  for (const pid of parents.keys()) {
    let ancestor: number | undefined = pid;
    while (ancestor !== undefined && ancestor !== root) ancestor = parents.get(ancestor);
    if (ancestor === root) members.push({ name: await nameOf(pid), mb: await readPss(pid) });
  }
  return members;
}

async function nameOf(pid: number): Promise<string> {
  const words = await readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => "");
  if (words.includes("postgres")) return "PostgreSQL";
  return words.includes("__edge") ? "edge" : "server";
}

async function readPss(pid: number): Promise<number> {
  const rollup = await readFile(`/proc/${pid}/smaps_rollup`, "utf8").catch(() => "");
  return Number(/^Pss:\s+(\d+) kB$/m.exec(rollup)?.[1] ?? 0) / 1024;
}

import { join } from "node:path";
import { z } from "zod";
import { run } from "../src/kernel/run.ts";

const AUTOCANNON = join(import.meta.dirname, "../node_modules/autocannon/autocannon.js");

const report = z.object({
  duration: z.number(),
  non2xx: z.number(),
  errors: z.number(),
  timeouts: z.number(),
  "2xx": z.number(),
});

/** Answers with 2xx a second over `seconds`, asked by autocannon in a process of its own. Throws when anything else was answered. */
export async function measureRate(url: string, seconds: number, words: readonly string[]): Promise<number> {
  const all = [AUTOCANNON, "--json", "--duration", String(seconds), ...words, url];
  const { stdout } = await run(process.execPath, all, {
    env: { PATH: process.env["PATH"] ?? "" },
    timeoutMs: seconds * 1000 + 60_000,
  });
  const seen = report.parse(JSON.parse(stdout));
  if (seen.non2xx + seen.errors + seen.timeouts > 0) {
    throw new Error(
      `${url}: ${seen.non2xx} bad answers, ${seen.errors} errors, ${seen.timeouts} without an answer`,
    );
  }
  return seen["2xx"] / seen.duration;
}

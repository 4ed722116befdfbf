import type { Bench, Result } from "./result.ts";
import { showTable } from "./result.ts";
import { checkBench } from "./check.ts";
import { deployBench } from "./deploy.ts";
import { edgeBench } from "./edge.ts";
import { memoryBench } from "./memory.ts";
import { sandboxBench } from "./sandbox.ts";
import { startBench } from "./start.ts";
import { webhookBench } from "./webhook.ts";

/** `npm run bench [-- NAME…] [--json]`: exit 1 when a target is missed, 2 for wrong words. What is measured is told in `docs/benchmarks.md`. */
const BENCHES: readonly Bench[] = [
  deployBench,
  webhookBench,
  edgeBench,
  memoryBench,
  startBench,
  checkBench,
  sandboxBench,
];

const words = process.argv.slice(2);
const json = words.includes("--json");
const names = words.filter((word) => word !== "--json");
const unknown = names.filter((name) => !BENCHES.some((bench) => bench.name === name));
if (unknown.length > 0) {
  console.error(
    `no such bench: ${unknown.join(", ")}; there are ${BENCHES.map((bench) => bench.name).join(", ")}`,
  );
  process.exit(2);
}

const undo = new AsyncDisposableStack();
const interrupted = new AbortController();
for (const signal of ["SIGINT", "SIGTERM"] as const) {
  process.once(signal, () => {
    interrupted.abort();
    void undo.disposeAsync().finally(() => process.exit(130));
  });
}

const results: Result[] = [];
try {
  for (const bench of BENCHES.filter(({ name }) => names.length === 0 || names.includes(name))) {
    const own = undo.use(new AsyncDisposableStack());
    results.push(...(await bench.run((line) => console.error(`${bench.name}: ${line}`), own)));
    await own.disposeAsync();
  }
} catch (error) {
  if (interrupted.signal.aborted) await new Promise(() => {}); // what it worked with was closed under it; the signal's handler ends us
  await undo.disposeAsync();
  throw error;
}
console.log(json ? JSON.stringify({ schema: 1, results }) : showTable(results));
process.exit(results.every(({ ok }) => ok) ? 0 : 1);

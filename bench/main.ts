import type { Bench, Result } from "./result.ts";
import { showTable } from "./result.ts";
import { deployBench } from "./deploy.ts";
import { edgeBench } from "./edge.ts";
import { memoryBench } from "./memory.ts";
import { startBench } from "./start.ts";
import { webhookBench } from "./webhook.ts";

/** `npm run bench [-- NAME…] [--json]`: exit 1 when a target is missed, 2 for wrong words. What is measured is told in `docs/benchmarks.md`. */
const BENCHES: readonly Bench[] = [deployBench, webhookBench, edgeBench, memoryBench, startBench];

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

const results: Result[] = [];
for (const bench of BENCHES.filter(({ name }) => names.length === 0 || names.includes(name))) {
  results.push(...(await bench.run((line) => console.error(`${bench.name}: ${line}`))));
}
console.log(json ? JSON.stringify({ schema: 1, results }) : showTable(results));
process.exit(results.every(({ ok }) => ok) ? 0 : 1);

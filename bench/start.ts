import { startFairlead } from "../test/support/fairlead.ts";
import { judge, type Bench } from "./result.ts";
import { median } from "./statistics.ts";

const ROUNDS = 5;

/** `fairlead serve` on a data directory that was used before, from the start of its process until `/readyz` answers 200; PostgreSQL and edge included. */
export const startBench: Bench = {
  name: "start",
  async run(tell, undo) {
    const fairlead = undo.use(await startFairlead({ env: { FAIRLEAD_LOG_LEVEL: "warn" } }));
    const seconds: number[] = [];
    for (let round = 1; round <= ROUNDS; round++) {
      await fairlead.end("SIGINT");
      const begun = performance.now();
      await fairlead.start();
      seconds.push((performance.now() - begun) / 1000);
      tell(`round ${round}: ${seconds.at(-1)?.toFixed(2)} s`);
    }
    const range = `${Math.min(...seconds).toFixed(2)} to ${Math.max(...seconds).toFixed(2)} s, ${ROUNDS} starts`;
    return [
      judge({
        name: "start to ready, warm",
        measured: median(seconds),
        unit: "s",
        target: { most: 2 },
        detail: range,
      }),
    ];
  },
};

import { join } from "node:path";
import { checkConnection } from "../src/doctor/check.ts";
import { Secret } from "../src/kernel/secret.ts";
import { createSandbox } from "../src/sandbox/sandbox.ts";
import { judge, type Bench, type Result } from "./result.ts";
import { median } from "./statistics.ts";
import { openFolder } from "./world.ts";

const ROUNDS = 5;
const ANSWER_MS = 100;
/** A GitLab that tells what a token is, and one that has to be probed. */
const VERSIONS = ["18.9.0", "15.3.0"] as const;

/**
 * How many HTTP exchanges of a complete check wait for one another: what a check takes longer when every answer takes 100 ms longer, in units
 * of that delay. Setting up connections is in both times and so in neither figure.
 */
export const checkBench: Bench = {
  name: "check",
  async run(tell, undo) {
    const folder = await openFolder(undo);
    const results: Result[] = [];
    for (const version of VERSIONS) {
      const sandbox = undo.use(
        await createSandbox({
          version,
          dataDir: join(folder, version),
          searchPath: process.env["PATH"] ?? "",
        }),
      );
      const user = sandbox.state.createUser({ username: "ada" });
      const token = new Secret(sandbox.state.createToken({ user, scopes: ["api"] }).value);
      const measure = async (latencyMs: number): Promise<number> => {
        sandbox.faults.latencyMs = latencyMs;
        const begun = performance.now();
        const { diagnosis } = await checkConnection({ url: sandbox.url, token });
        if (!diagnosis.ok) throw new Error(`the check failed: ${diagnosis.error?.title}`);
        return performance.now() - begun;
      };
      await measure(0);
      const pairs = [];
      for (let round = 1; round <= ROUNDS; round++) {
        pairs.push({ fast: await measure(0), slow: await measure(ANSWER_MS) });
      }
      const exchanges = median(pairs.map(({ fast, slow }) => (slow - fast) / ANSWER_MS));
      const slow = median(pairs.map((pair) => pair.slow));
      tell(`GitLab ${version}: ${exchanges.toFixed(2)} exchanges`);
      results.push(
        judge({
          name: `exchanges of a check, GitLab ${version}`,
          measured: exchanges,
          unit: "",
          target: { most: 4 },
          detail: `${Math.round(slow)} ms when every answer takes ${ANSWER_MS} ms, ${ROUNDS} rounds`,
        }),
      );
    }
    return results;
  },
};

import { fileURLToPath } from "node:url";
import type { BuildRequest, StartRequest } from "../runtime.ts";
import { Fault } from "../../faults/fault.ts";
import { createProcessRuntime, type ProcessRuntimeOptions } from "./process-runtime.ts";

/** A Fairlead that builds or starts what its word says (JSON) and then lives on, for tests that kill or stop it. */
interface Order {
  readonly options: Pick<ProcessRuntimeOptions, "dataDir" | "baseEnv" | "methods" | "allowUnisolated">;
  readonly start?: StartRequest;
  readonly build?: Omit<BuildRequest, "signal" | "onLine">;
}
const order: Order = JSON.parse(process.argv[2] ?? "{}");
const say = (words: string): void => void process.stdout.write(`${words}\n`);

const runtime = await createProcessRuntime({
  ...order.options,
  nodePath: process.execPath,
  entry: fileURLToPath(new URL("entry.fixture.ts", import.meta.url)),
  portRange: { first: 18_000, last: 19_999 },
});
if (order.start !== undefined) say(`started ${(await runtime.start(order.start)).port}`);
if (order.build !== undefined) {
  const signal = new AbortController().signal;
  runtime
    .build({ ...order.build, signal, onLine: (line) => say(`line ${line}`) })
    .then(() => say("built"))
    .catch((error: unknown) => say(`failed ${error instanceof Fault ? error.code : String(error)}`));
}
setInterval(() => {}, 60_000);

import { once } from "node:events";
import { PassThrough } from "node:stream";
import { createInterface } from "node:readline";
import type { Parts } from "./context.ts";

/** Output of the serving replicas. With several their lines come as they are printed. */
export async function* readRunLogs(
  read: Pick<Parts, "store" | "runtime">,
  environmentIds: readonly string[],
  options: { readonly tailLines: number; readonly follow: boolean; readonly signal: AbortSignal },
): AsyncIterable<string> {
  const replicas = await read.store.db
    .selectFrom("replica")
    .select("id")
    .where("environment_id", "in", environmentIds)
    .where("state", "=", "serving")
    .execute();
  const merged = new PassThrough();
  const pump = async (replicaId: string): Promise<void> => {
    for await (const line of read.runtime.logs(replicaId, options)) {
      if (!merged.write(`${line}\n`)) await once(merged, "drain", { signal: options.signal }); // a reader slower than the app must not fill the memory
    }
  };
  const done = Promise.all(replicas.map((replica) => pump(replica.id))).then(
    () => merged.end(),
    (error: unknown) => merged.destroy(error instanceof Error ? error : new Error(String(error))),
  );
  yield* createInterface({ input: merged });
  await done;
}

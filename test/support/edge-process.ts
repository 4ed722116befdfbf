import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { superviseEdge, type SupervisedEdge, type SuperviseOptions } from "../../src/edge/supervise.ts";
import { silentLogger } from "../../src/telemetry/log.ts";

export interface EdgeHome extends AsyncDisposable {
  readonly dataDir: string;
  /** A program like `main.ts` that knows nothing but `__edge`. */
  readonly entry: string;
  readonly options: SuperviseOptions;
  supervise(changes?: Partial<SuperviseOptions>): Promise<SupervisedEdge>;
}

/** A data directory of its own. Disposing ends every edge that was started in it, and removes it. */
export async function createEdgeHome(folderName = "data"): Promise<EdgeHome> {
  const root = await mkdtemp(join(tmpdir(), "fairlead-edge-"));
  const entry = join(root, "entry.mjs");
  const code = new URL("../../src/edge/process.ts", import.meta.url).href;
  await writeFile(
    entry,
    `import { runEdgeProcess } from ${JSON.stringify(code)};\nprocess.exit(await runEdgeProcess(process.argv.slice(3)));\n`,
  );
  const dataDir = join(root, folderName);
  const options: SuperviseOptions = {
    dataDir,
    nodePath: process.execPath,
    entry,
    listenHost: "127.0.0.1",
    listenPort: 0,
    log: silentLogger,
  };
  const started: SupervisedEdge[] = [];
  return {
    dataDir,
    entry,
    options,
    supervise: async (changes = {}) => {
      const edge = await superviseEdge({ ...options, ...changes });
      started.push(edge);
      return edge;
    },
    [Symbol.asyncDispose]: async () => {
      for (const edge of started) await edge.stop(0);
      await rm(root, { recursive: true, force: true });
    },
  };
}

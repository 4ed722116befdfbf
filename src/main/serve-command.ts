import { once } from "node:events";
import type { Config } from "../config.ts";
import { startServer } from "./serve.ts";

/**
 * `fairlead serve`: runs until told to end. SIGINT (Ctrl-C) stops everything; SIGTERM and SIGHUP leave the edge and the apps serving for the
 * successor, as a restart or an upgrade wants it.
 */
export async function serve(
  config: Config,
  output: NodeJS.WriteStream,
  signal: AbortSignal,
): Promise<number> {
  const server = await startServer({ config, output: process.stderr, signal });
  const edge = `http://${server.edge.host}:${server.edge.port}`;
  output.write(
    `Fairlead is ready.\n  API and webhooks  ${server.apiUrl}\n  apps              ${edge} (${server.appUrl(`<app>.${config.appsDomain}`)})\n`,
  );
  output.write(`  API token         ${server.apiTokenFile}\n`);
  if (config.publicUrl === null) {
    output.write(
      "  FAIRLEAD_PUBLIC_URL is not set: GitLab has no address to call, so branches are polled instead.\n",
    );
  }
  const told = signal.aborted ? Promise.resolve() : once(signal, "abort");
  try {
    await Promise.race([told, server.broken]);
    return 0;
  } finally {
    const everything = signal.reason === "SIGINT";
    server.log.info({ everything }, "Fairlead is stopping");
    await server.stop(everything);
  }
}

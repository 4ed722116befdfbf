import { once } from "node:events";
import type { Config } from "../config.ts";
import { startServer, type RunningServer } from "./serve.ts";

/**
 * `fairlead serve`: runs until told to end. SIGINT (Ctrl-C) stops everything; SIGTERM and SIGHUP leave the edge and the apps serving for the
 * successor, as a restart or an upgrade wants it.
 */
export async function serve(
  config: Config,
  options: { readonly json: boolean },
  output: NodeJS.WriteStream,
  signal: AbortSignal,
): Promise<number> {
  const server = await startServer({ config, output: process.stderr, signal });
  output.write(options.json ? `${JSON.stringify(factsOf(server, config))}\n` : describe(server, config));
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

/** Where everything is; what a program needs that started this one. */
function factsOf({ apiUrl, apiTokenFile, appUrl, edge }: RunningServer, config: Config) {
  return {
    ready: true,
    apiUrl,
    apiTokenFile,
    edgeUrl: `http://${edge.host}:${edge.port}`,
    appsUrl: appUrl(`<app>.${config.appsDomain}`),
    publicUrl: config.publicUrl,
  } as const;
}

function describe(server: RunningServer, config: Config): string {
  const { apiUrl, apiTokenFile, edgeUrl, appsUrl, publicUrl } = factsOf(server, config);
  const polling =
    "FAIRLEAD_PUBLIC_URL is not set: GitLab has no address to call, so branches are polled instead.";
  const lines = [
    "Fairlead is ready.",
    `  API and webhooks  ${apiUrl}`,
    `  apps              ${edgeUrl} (${appsUrl})`,
    `  API token         ${apiTokenFile}`,
    ...(publicUrl === null ? [`  ${polling}`] : []),
  ];
  return `${lines.join("\n")}\n`;
}

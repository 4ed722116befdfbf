import { createServer } from "node:http";
import { realpath } from "node:fs/promises";
import { resolve } from "node:path";
import { isInside } from "./sandbox-spec.ts";
import { serveFile } from "./static-files.ts";

/**
 * Serves a folder on 127.0.0.1 until SIGTERM: the replica of a static release. `argv` is the port, the folder relative to the
 * working directory and, for single-page apps, the file that answers where there is none.
 */
export async function runStaticServer(argv: readonly string[]): Promise<void> {
  if (argv[0] === "--prime") return;
  const [port, folder = ".", fallback = null] = argv;
  const root = await realpath(resolve(folder));
  if (!isInside(root, await realpath("."))) throw new Error("the folder lies outside the release");
  const server = createServer({ keepAliveTimeout: 65_000, requestTimeout: 30_000 }, (request, response) => {
    serveFile({ root, fallback }, request, response).catch(() => {
      if (!response.headersSent) response.writeHead(500, { "content-type": "text/plain; charset=utf-8" });
      response.end("Internal error\n");
    });
  });
  const stop = (): void => {
    server.close();
    server.closeIdleConnections();
  };
  process.once("SIGTERM", stop);
  process.once("SIGINT", stop);
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.once("close", resolve);
    server.listen(Number(port), "127.0.0.1");
  });
}

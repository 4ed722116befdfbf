import type { AddressInfo } from "node:net";
import type { FastifyInstance } from "fastify";
import { createServer, type ServerOptions } from "../../src/http/server.ts";
import { createHealth } from "../../src/telemetry/health.ts";
import { silentLogger } from "../../src/telemetry/log.ts";
import { createMetrics } from "../../src/telemetry/metrics.ts";
import { fakeServices } from "./services.ts";

export const API_TOKEN = `flt_${"t".repeat(43)}`;

export interface TestServer extends AsyncDisposable {
  readonly server: FastifyInstance;
  readonly url: string;
  readonly port: number;
}

export async function buildTestServer(options: Partial<ServerOptions> = {}): Promise<FastifyInstance> {
  return createServer({
    services: fakeServices(),
    tokens: { verify: async (token) => (token === API_TOKEN ? "local" : null) },
    log: silentLogger,
    metrics: createMetrics(),
    health: createHealth({}),
    allowedHosts: ["deploy.acme.lan"],
    version: "0.0.0",
    ...options,
  });
}

/** A server that really listens, on any free port of 127.0.0.1. */
export async function startTestServer(options: Partial<ServerOptions> = {}): Promise<TestServer> {
  const server = await buildTestServer(options);
  await server.listen({ host: "127.0.0.1", port: 0 });
  const { port } = server.server.address() as AddressInfo;
  return { server, port, url: `http://127.0.0.1:${port}`, [Symbol.asyncDispose]: () => server.close() };
}

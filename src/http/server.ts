import swagger from "@fastify/swagger";
import Fastify, { type FastifyInstance } from "fastify";
import { jsonSchemaTransform, serializerCompiler, validatorCompiler } from "fastify-type-provider-zod";
import { newId } from "../kernel/ids.ts";
import type { Health } from "../telemetry/health.ts";
import type { Logger } from "../telemetry/log.ts";
import type { Metrics } from "../telemetry/metrics.ts";
import type { ApiTokens } from "./api-tokens.ts";
import { mountApps } from "./app-routes.ts";
import { mountBrowse } from "./browse-routes.ts";
import { mountConnections } from "./connection-routes.ts";
import { mountDeliveries } from "./delivery-routes.ts";
import { mountDeployments } from "./deployment-routes.ts";
import { mountDoctor } from "./doctor-routes.ts";
import { guardHosts, guardToken } from "./guard.ts";
import { answerWithProblems } from "./problems.ts";
import type { Services } from "./services.ts";
import { mountConnectionLife } from "./life-routes.ts";
import { mountSystem } from "./system-routes.ts";
import { mountWebhooks } from "./webhooks.ts";

export interface ServerOptions {
  readonly services: Services;
  readonly tokens: ApiTokens;
  readonly log: Logger;
  readonly metrics: Metrics;
  readonly health: Health;
  /** Host names this server goes by, besides `localhost` and addresses: where it listens, its public URL's host, what the configuration lists. */
  readonly allowedHosts: readonly string[];
  readonly version: string;
  /** Milliseconds a whole request may take to come, body included. Default: a minute; GitLab gives up after 10 s. */
  readonly requestTimeoutMs?: number;
}

const MAX_BODY = 1024 * 1024;
const REQUEST_TIMEOUT_MS = 60_000;
/** Streams break off at once when the server stops, requests under way have this long. */
const CLOSE_TIMEOUT_MS = 5000;

/** Builds the server; nothing listens until `listen({ host, port })`. `close()` ends streams, finishes what is under way and returns within seconds. */
export async function createServer(options: ServerOptions): Promise<FastifyInstance> {
  const closing = new AbortController();
  const timeout = options.requestTimeoutMs ?? REQUEST_TIMEOUT_MS;
  const app = Fastify({
    logger: false,
    bodyLimit: MAX_BODY,
    requestTimeout: timeout,
    http: { headersTimeout: Math.min(timeout, 15_000), connectionsCheckingInterval: Math.min(timeout, 5000) },
    genReqId: () => newId("req"),
    routerOptions: { maxParamLength: 255 },
    forceCloseConnections: "idle",
  });
  app.setValidatorCompiler(validatorCompiler);
  app.setSerializerCompiler(serializerCompiler);
  answerWithProblems(app, options.log);
  observe(app, options);
  app.addHook("preClose", async () => {
    closing.abort(new Error("the server is stopping"));
    setTimeout(() => app.server.closeAllConnections(), CLOSE_TIMEOUT_MS).unref();
  });
  await app.register(swagger, {
    openapi: {
      openapi: "3.1.0",
      info: { title: "Fairlead", version: options.version },
      components: { securitySchemes: { token: { type: "http", scheme: "bearer" } } },
      security: [{ token: [] }],
    },
    transform: jsonSchemaTransform,
  });
  await app.register(async (open) => mountWebhooks(open, options.services.pushes, options.metrics));
  await app.register(async (open) => mountSystem(open, options));
  await app.register(async (guarded) => {
    guardHosts(guarded, options.allowedHosts);
    guardToken(guarded, options.tokens);
    const { services } = options;
    mountConnections(guarded, services, closing.signal);
    mountDoctor(guarded, services, closing.signal);
    mountConnectionLife(guarded, services, closing.signal);
    mountBrowse(guarded, services, closing.signal);
    mountApps(guarded, services, closing.signal);
    mountDeployments(guarded, services, closing.signal);
    mountDeliveries(guarded, services);
  });
  await app.ready();
  return app;
}

function observe(app: FastifyInstance, { log, metrics }: ServerOptions): void {
  app.addHook("onRequest", async (request, reply) => void reply.header("x-request-id", request.id));
  app.addHook("onResponse", async (request, reply) => {
    const route = request.routeOptions.url ?? "(none)";
    const { method } = request;
    metrics.observeRequest({ method, route, status: reply.statusCode, seconds: reply.elapsedTime / 1000 });
    const ms = Math.round(reply.elapsedTime);
    log.debug({ requestId: request.id, method, route, status: reply.statusCode, ms }, "Answered");
  });
}

import { createApps } from "../apps/open.ts";
import type { Config } from "../config.ts";
import { createBrowser } from "../connections/browse.ts";
import { createDeployments, runDeployments, type Wiring } from "../deployments/open.ts";
import { mirrorKey } from "../deployments/checkout.ts";
import { requestDeploy } from "../deployments/requests.ts";
import { tearDown } from "../deployments/teardown.ts";
import { createApiTokens, ensureApiToken } from "../http/api-tokens.ts";
import { createServer } from "../http/server.ts";
import type { Doctor } from "../http/services.ts";
import { systemClock } from "../kernel/clock.ts";
import { Secret } from "../kernel/secret.ts";
import { diagnose } from "../pushes/diagnose.ts";
import { createPushes } from "../pushes/open.ts";
import { createHealth } from "../telemetry/health.ts";
import { createKnownSecrets, type KnownSecrets } from "../telemetry/known-secrets.ts";
import { createLogger, type Logger, type LogStream } from "../telemetry/log.ts";
import { allowedHosts, portOf, urlOf } from "./addresses.ts";
import { runBackground, type Background } from "./background.ts";
import { explainListening } from "./explain-listening.ts";
import { openParts, type OpenParts } from "./parts.ts";
import { readVersion } from "./program.ts";

export interface RunningServer {
  /** Where the API and the webhook receiver listen. */
  readonly apiUrl: string;
  readonly apiToken: Secret;
  readonly apiTokenFile: string;
  /** Where people's requests enter. */
  readonly edge: { readonly host: string; readonly port: number };
  readonly appUrl: (host: string) => string;
  readonly log: Logger;
  /** Rejects when a part that must not end has ended. */
  readonly broken: Promise<never>;
  /** `everything`: edge and replicas too; else they go on serving for the successor. Deployments under way go back into the queue. */
  stop(everything: boolean): Promise<void>;
}

export interface ServerStart {
  readonly config: Config;
  readonly output: LogStream;
  readonly signal: AbortSignal;
}

/** Wires the whole product and starts it. What was started before a failure is stopped again. */
export async function startServer({ config, output, signal }: ServerStart): Promise<RunningServer> {
  await using undo = new AsyncDisposableStack();
  const known = createKnownSecrets();
  learnDatabase(config, known);
  const log = createLogger({ level: config.logLevel, stream: output, redact: known.redact });
  const parts = await openParts(config, log, known, undo, signal);
  let started = false;
  undo.defer(async () => {
    // Disposed, the edge goes on for a successor; after a failed start there is none.
    if (!started && !parts.edge.adopted) await parts.edge.stop();
  });
  const apps = openApps(parts, config);
  const { path, token } = await ensureApiToken(parts.store, config.dataDir);
  known.learn(token);
  const { apiUrl, background } = await startServices(apps, parts, config, undo);
  await tellIsolation(parts);
  const running = undo.move();
  started = true;
  return {
    apiUrl,
    apiToken: token,
    apiTokenFile: path,
    edge: await parts.edge.address(),
    appUrl: parts.appUrl,
    log,
    broken: background.broken,
    async stop(everything) {
      await background.stop();
      if (everything) await stopService(parts);
      await running.disposeAsync();
    },
  };
}

/** The address with its password, and the password alone: drivers quote either in their errors. */
function learnDatabase({ databaseUrl }: Config, known: KnownSecrets): void {
  if (databaseUrl === null) return;
  known.learn(databaseUrl);
  const text = databaseUrl.reveal();
  const password = URL.canParse(text) ? decodeURIComponent(new URL(text).password) : "";
  if (password !== "") known.learn(new Secret(password));
}

function openApps(parts: OpenParts, config: Config): ReturnType<typeof createApps> {
  return createApps({
    ...parts,
    publicUrl: config.publicUrl,
    appsDomain: config.appsDomain,
    publicAppUrl: parts.appUrl,
    teardown: (id, stop) => tearDown(parts, id, stop),
    forgetSource: (connectionId, projectId) => parts.source.forget(mirrorKey(connectionId, projectId)),
    onLinked: async (id) => void (await requestDeploy(parts, id, undefined)),
  });
}

async function startServices(
  apps: ReturnType<typeof createApps>,
  parts: OpenParts,
  config: Config,
  undo: AsyncDisposableStack,
): Promise<{ apiUrl: string; background: Background }> {
  const { store, log, connections, edge } = parts;
  const wiring: Wiring = { ...parts, apps };
  const pushes = createPushes({ ...parts, clock: systemClock });
  const server = await createServer({
    services: {
      connections,
      browser: createBrowser(connections),
      pushes,
      apps,
      deployments: createDeployments(wiring),
      check: async (request) =>
        (await parts.check({ ...request, wishes: { searchPath: config.passThrough.PATH } })).diagnosis,
      doctor: openDoctor(apps, parts, config),
    },
    tokens: createApiTokens(store),
    log,
    metrics: parts.metrics,
    health: createHealth({ database: () => store.pool.query("select 1"), edge: () => edge.address() }),
    allowedHosts: allowedHosts(config),
    version: readVersion(),
  });
  undo.defer(() => server.close());
  try {
    await server.listen({ host: config.host, port: config.port });
  } catch (error) {
    throw explainListening(error, `${config.host}:${config.port}`);
  }
  const background = runBackground(log, {
    deployments: (stopping) => runDeployments(wiring, config.workers, stopping),
    pushes: (stopping) => pushes.run(stopping),
    connections: (stopping) => parts.connections.watch(stopping),
    webhooks: (stopping) => apps.watchHooks(stopping),
    "half-made links": (stopping) => apps.recover(stopping),
  });
  undo.defer(() => background.stop());
  return { apiUrl: urlOf(config.host, portOf(server.server.address())), background };
}

function openDoctor(apps: ReturnType<typeof createApps>, parts: OpenParts, config: Config): Doctor {
  const { store, connections, check } = parts;
  const deps = {
    store,
    connections,
    checkConnection: check,
    publicUrl: config.publicUrl,
    searchPath: config.passThrough.PATH,
  };
  return {
    diagnose: (connection, wish, signal) => diagnose(deps, connection, wish, signal),
    listRepairs: (connection, signal) => apps.listRepairs(connection, signal),
    repair: (connection, signal) => apps.repair(connection, signal),
  };
}

async function stopService({ runtime, edge }: OpenParts): Promise<void> {
  const replicas = await runtime.list();
  await edge.stop();
  await Promise.all(replicas.map((replica) => runtime.stop(replica.replicaId, null, 2000)));
}

async function tellIsolation({ runtime, log }: OpenParts): Promise<void> {
  const { isolated, method, explanation } = await runtime.isolation();
  if (isolated) log.info({ method }, explanation);
  else log.warn({ method }, explanation);
}

import type { Config } from "../config.ts";
import { createConnections, type RunningConnections } from "../connections/open.ts";
import { DEFAULT_DEADLINES } from "../deployments/context.ts";
import { createEnqueue } from "../deployments/enqueue.ts";
import type { Wiring } from "../deployments/open.ts";
import { openQueue } from "../deployments/queue.ts";
import { checkConnection } from "../doctor/check.ts";
import { superviseEdge, type SupervisedEdge } from "../edge/supervise.ts";
import { createGitLab } from "../gitlab/client.ts";
import { secretsOf } from "../gitlab/network.ts";
import { newId } from "../kernel/ids.ts";
import { createProcessRuntime } from "../runtimes/process/process-runtime.ts";
import type { RunningVault } from "../secrets/open-vault.ts";
import { openVault } from "../secrets/open-vault.ts";
import { openSource } from "../source/open.ts";
import type { KnownSecrets } from "../telemetry/known-secrets.ts";
import type { Logger } from "../telemetry/log.ts";
import { createMetrics, type Metrics } from "../telemetry/metrics.ts";
import { appUrls } from "./addresses.ts";
import { openData } from "./data.ts";
import { entry } from "./program.ts";

/** What the services are made of: the database, the adapters, the clients. */
export interface OpenParts extends Omit<Wiring, "apps" | "edge" | "connections" | "metrics"> {
  readonly metrics: Metrics;
  readonly vault: RunningVault;
  readonly connections: RunningConnections;
  readonly edge: SupervisedEdge;
  readonly check: typeof checkConnection;
}

/** Opens them in the order they need each other; `undo` closes them in the reverse one. */
export async function openParts(
  config: Config,
  log: Logger,
  known: KnownSecrets,
  undo: AsyncDisposableStack,
  signal: AbortSignal,
): Promise<OpenParts> {
  const { dataDir, allowUnisolated, passThrough } = config;
  const store = undo.use(await openData(config, log, signal));
  const vault = await openVault(store, { keyFile: config.keyFile });
  const { connections, check } = openClients({ store, vault, log }, config, known, undo);
  const program = { dataDir, nodePath: process.execPath, entry };
  const runtime = await createProcessRuntime({ ...program, allowUnisolated, baseEnv: passThrough });
  const edge = undo.use(
    await superviseEdge({
      ...program,
      listenHost: config.edgeHost,
      listenPort: config.edgePort,
      trustForwarded: config.trustForwarded,
      log,
    }),
  );
  const appUrl = appUrls(config, (await edge.address()).port);
  const queue = undo.use(await openQueue(store, log));
  return {
    store,
    vault,
    connections,
    check,
    runtime,
    edge,
    queue,
    appUrl,
    log,
    dataDir,
    allowUnisolated,
    enqueue: createEnqueue({ queue, appUrl, notify: (tx, id) => store.notify("deployment", id, tx) }),
    source: await openSource({ dataDir, log, searchPath: passThrough.PATH }),
    workerId: newId("wrk"),
    limits: { memoryMb: 512, processes: 256 },
    deadlines: DEFAULT_DEADLINES,
    redact: known.redact,
    metrics: createMetrics(),
  };
}

/** Every token a client is made with is one the log and the stored lines must never show. */
function openClients(
  tools: Pick<OpenParts, "store" | "vault" | "log">,
  { proxies }: Config,
  known: KnownSecrets,
  undo: AsyncDisposableStack,
): Pick<OpenParts, "connections" | "check"> {
  const createClient: typeof createGitLab = (options) => {
    known.learn(options.token);
    for (const secret of secretsOf(options)) known.learn(secret);
    return createGitLab(options);
  };
  const check: OpenParts["check"] = (request, observations) =>
    checkConnection(
      { ...request, network: { machine: proxies, ...request.network }, createGitLab: createClient },
      observations,
    );
  return {
    check,
    connections: undo.use(
      createConnections({
        ...tools,
        createGitLab: createClient,
        checkConnection: check,
        machineProxies: proxies,
      }),
    ),
  };
}

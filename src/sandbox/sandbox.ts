import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { systemClock, toError, type Clock } from "../kernel/clock.ts";
import { randomToken } from "../kernel/ids.ts";
import { Secret } from "../kernel/secret.ts";
import type { Box } from "./box.ts";
import { createRepositories } from "./git/repositories.ts";
import { CLOSED_DOOR, openDoor, type Door, type SshAddress } from "./ssh/door.ts";
import { createImports } from "./imports.ts";
import { createSeed, type Seed } from "./seed.ts";
import { createListener, type Log } from "./server.ts";
import { getAction } from "./control/actions.ts";
import { createControl } from "./control/control.ts";
import { isLoopback } from "./control/guard.ts";
import type { FaultKnobs, Settings } from "./control/knobs.ts";
import { createState, type Delivery, type State } from "./state.ts";
import { startWebServer, type SandboxCertificates } from "./tls/web-server.ts";
import { parseVersion } from "./versions.ts";
import { createWebhooks } from "./webhooks/webhooks.ts";

export interface SandboxOptions {
  /** Which GitLab to be, `15.3.0`. Default 18.9.0. */
  readonly version?: string;
  /** Default 127.0.0.1: what is in a sandbox is for everybody who can reach it and knows a token. */
  readonly host?: string;
  /** Default 0: any free port. */
  readonly port?: number;
  /** Where repositories are kept. Default: a temporary folder that is removed at the end. */
  readonly dataDir?: string;
  /** Relative URL root, `/gitlab`. */
  readonly relativeUrl?: string;
  /**
   * Also serve SSH, through OpenSSH's `sshd` on any free port or on this one. Needs the packages openssh-server and libnss-wrapper: a
   * `RangeError` says what is missing.
   */
  readonly ssh?: boolean | { readonly port: number };
  /** HTTPS with a certificate of a private CA, made for this sandbox. */
  readonly tls?: boolean;
  /** `PATH` of the git processes. */
  readonly searchPath?: string;
  readonly clock?: Clock;
  /** One line per request, without queries and bodies. */
  readonly log?: Log;
}

/** A GitLab in a box. */
export interface Sandbox extends AsyncDisposable {
  /** Base URL without trailing slash, relative root included. */
  readonly url: string;
  readonly version: string;
  /** Puts users, tokens, groups, projects and members into it. */
  readonly state: Seed;
  /** All rows, to look into. */
  readonly rows: State;
  /** What goes wrong; change the fields while it runs. */
  readonly faults: FaultKnobs;
  readonly settings: Settings;
  /** Where SSH is served and the public host keys, the usual one and the one that the knob shows; null without SSH. */
  readonly ssh: SshAddress | null;
  /** With TLS: the private CA and a client's certificate; null without. */
  readonly certificates: SandboxCertificates | null;
  /** What the control at `/-/sandbox` asks for when others than this machine reach it; null: nothing. Told here and nowhere else. */
  readonly controlToken: Secret | null;
  /** Does one of the actions of docs/sandbox.md. Throws a `RangeError` that says what is wrong. */
  act(action: string, params?: unknown): Promise<object>;
  /** Makes the knobs as they are now those that a reset goes back to. */
  keepAsStart(): void;
  /** Webhook calls in the order they were made, of one hook or of all. */
  deliveries(hookId?: number): readonly Delivery[];
  /** Resolves when no webhook is on its way and no project is being imported any more. */
  settled(): Promise<void>;
  /** Ends the server, its git processes and webhooks, and removes the temporary folder. May be called twice. */
  close(): Promise<void>;
}

const SEARCH_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:/opt/homebrew/bin";

/** Throws a `RangeError` for an impossible version or root, and Node's errors for a port that is taken. */
export async function createSandbox(options: SandboxOptions = {}): Promise<Sandbox> {
  const version = parseVersion(options.version ?? "18.9.0");
  const root = relativeRoot(options.relativeUrl ?? "");
  const host = options.host ?? "127.0.0.1";
  await using stack = new AsyncDisposableStack();
  const dataDir = await dataFolder(options.dataDir, stack);
  const ending = new AbortController();
  const state = createState(options.clock ?? systemClock);
  if (!version.has("tokenPrefix")) state.settings.tokenPrefix = "";
  const keepAsStart = (): void => {
    state.start = structuredClone({ faults: state.faults, settings: state.settings });
  };
  keepAsStart();
  const repositories = await createRepositories(dataDir, options.searchPath ?? SEARCH_PATH, ending.signal);
  const seed = createSeed(state, repositories);
  const web = await startWebServer({ ...options, host, root, folder: dataDir, faults: state.faults }, stack);
  const { server, url, certificates } = web;
  const place = withAddress(url, { state, version });
  const webhooks = createWebhooks(place, ending.signal);
  const imports = createImports(state, repositories, seed, ending.signal);
  const settled = async (): Promise<void> => {
    await Promise.all([webhooks.settled(), imports.settled()]);
  };
  stack.defer(async () => {
    ending.abort();
    await settled();
  });
  const door = stack.use(await doorOf(options, host, dataDir, ending.signal));
  const parts = { state, version, repositories, webhooks, imports, seed, ending: ending.signal };
  const box: Box = withAddress(url, { ...parts, sshPort: door.port });
  door.open(box);
  const controlToken = newControlToken(host);
  const control = createControl(box, { token: controlToken, ca: certificates?.ca ?? null, root });
  const log = options.log ?? (() => {});
  server.on("request", createListener(box, { root, log, signal: ending.signal, control }));
  const resources = stack.move();
  const close = (): Promise<void> => resources.disposeAsync();
  return {
    url,
    version: version.text,
    state: seed,
    rows: state,
    faults: state.faults,
    settings: state.settings,
    ssh: door.address,
    certificates,
    controlToken,
    act: async (action, params = {}) => getAction(action).run(box, params),
    keepAsStart,
    deliveries: (hookId) => state.deliveries.filter((one) => hookId === undefined || one.hookId === hookId),
    settled,
    close,
    [Symbol.asyncDispose]: close,
  };
}

/** The given folder, or a temporary one that goes when the sandbox ends. */
async function dataFolder(given: string | undefined, stack: AsyncDisposableStack): Promise<string> {
  if (given !== undefined) {
    const folder = resolve(given); // git and sshd work in other folders than we do
    await mkdir(folder, { recursive: true, mode: 0o700 }).catch((error: unknown) => {
      throw new RangeError(`the data folder cannot be made: ${toError(error).message}`, { cause: error });
    });
    return folder;
  }
  const folder = await mkdtemp(join(tmpdir(), "fairlead-sandbox-"));
  stack.defer(() => rm(folder, { recursive: true, force: true, maxRetries: 5 }));
  return folder;
}

async function doorOf(
  options: SandboxOptions,
  host: string,
  dataDir: string,
  signal: AbortSignal,
): Promise<Door> {
  const { ssh = false, searchPath = SEARCH_PATH } = options;
  if (ssh === false) return CLOSED_DOOR;
  const port = ssh === true ? 0 : ssh.port;
  return openDoor({ host, port, folder: join(dataDir, "ssh"), searchPath, signal });
}

/** null for a sandbox that only this machine reaches. */
function newControlToken(host: string): Secret | null {
  return isLoopback(host) ? null : new Secret(`sandbox-${randomToken(20)}`);
}

/** `external_url` is a setting: the address may change while it runs. */
function withAddress<Parts extends Pick<Box, "state">>(url: string, parts: Parts): Parts & Pick<Box, "url"> {
  return {
    ...parts,
    get url() {
      return parts.state.settings.externalUrl ?? url;
    },
  };
}

function relativeRoot(given: string): string {
  const root = given.replace(/\/+$/, "");
  if (root !== "" && !/^(\/[A-Za-z0-9_-]+)+$/.test(root))
    throw new RangeError(`no good relative URL root: ${given}`);
  return root;
}

import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { createServer, type Server, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { launch } from "../../kernel/run.ts";
import type { Box } from "../box.ts";
import { listen } from "../listen.ts";
import { writeAuthorizedKeys } from "./authorized-keys.ts";
import { startDesk } from "./desk.ts";
import { ensureHostKeys, writeConfiguration, type HostKeys } from "./host-keys.ts";
import { userEnvironment } from "./git-user.ts";
import { findSshd } from "./find-sshd.ts";

/** Where people come in by SSH. */
export interface SshAddress {
  readonly port: number;
  readonly hostKeys: HostKeys;
}

export interface Door extends AsyncDisposable {
  /** null: there is no SSH. */
  readonly address: SshAddress | null;
  readonly port: number | null;
  /** Lets people in, once there is something to let them into. */
  open(box: Box): void;
}

/** A GitLab without SSH. */
export const CLOSED_DOOR: Door = {
  address: null,
  port: null,
  open: () => {},
  [Symbol.asyncDispose]: async () => {},
};

export interface DoorOptions {
  readonly host: string;
  /** 0: any free port. */
  readonly port: number;
  /** Host keys stay here between starts. */
  readonly folder: string;
  readonly searchPath: string;
  readonly signal: AbortSignal;
}

/**
 * SSH through OpenSSH's own `sshd`: a listener of ours on a port of its own, and one `sshd -i` per connection. So no port is raced for,
 * nothing runs while nobody is there, and no process outlives the sandbox. Throws a `RangeError` where this machine lacks a part.
 */
export async function openDoor(options: DoorOptions): Promise<Door> {
  const { host, port, folder, searchPath, signal } = options;
  await using stack = new AsyncDisposableStack();
  const sshd = findSshd(searchPath);
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const hostKeys = await ensureHostKeys(folder, searchPath);
  const environment = await userEnvironment(folder, searchPath);
  // The path of a socket may have 107 characters: too few for a folder somebody else chose.
  const desks = await mkdtemp(join(tmpdir(), "fairlead-ssh-"));
  stack.defer(() => rm(desks, { recursive: true, force: true }));
  const socketPath = join(desks, "desk");
  const visitors = new Set<Socket>();
  let box: Box | null = null;
  const server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
    socket.on("error", () => {}); // the client went away
    if (box) receive(box, socket).catch(() => socket.destroy());
    else socket.destroy();
  });
  const receive = async (box: Box, socket: Socket): Promise<void> => {
    visitors.add(socket);
    socket.once("close", () => visitors.delete(socket));
    await writeAuthorizedKeys(box.state, folder, socketPath);
    const config = await writeConfiguration(folder, box.state.faults.ssh.changedHostKey);
    await serveConnection(sshd, config, socket, environment, signal);
  };
  await listen(server, port, host);
  stack.defer(() => close(server, visitors));
  const address = { port: portOf(server), hostKeys };
  const resources = stack.move();
  return {
    address,
    port: address.port,
    open: (given) => {
      box = given;
      resources.use(startDesk(given, socketPath, signal));
    },
    [Symbol.asyncDispose]: () => resources.disposeAsync(),
  };
}

/** One connection, one `sshd`. It speaks to the client through a pair of sockets, as under inetd. */
async function serveConnection(
  sshd: string,
  config: string,
  socket: Socket,
  env: Readonly<Record<string, string>>,
  signal: AbortSignal,
): Promise<void> {
  const gone = new AbortController();
  socket.once("close", () => gone.abort());
  if (socket.destroyed) return; // it left before it was let in: nothing would ever end sshd's input
  const child = launch(sshd, ["-i", "-f", config], {
    env,
    keepStdin: true,
    signal: AbortSignal.any([signal, gone.signal]),
  });
  child.stderr?.resume();
  child.stdin?.on("error", () => {}); // sshd may end before it has read everything
  if (child.stdin) socket.pipe(child.stdin);
  child.stdout?.pipe(socket);
  await child.ended;
  socket.end();
}

function portOf(server: Server): number {
  const address = server.address();
  return typeof address === "object" && address !== null ? address.port : 0;
}

function close(server: Server, visitors: ReadonlySet<Socket>): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    for (const socket of visitors) socket.destroy();
  });
}

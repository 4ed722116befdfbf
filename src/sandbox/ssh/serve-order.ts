import type { Socket } from "node:net";
import type { Readable } from "node:stream";
import { launch } from "../../kernel/run.ts";
import type { Box } from "../box.ts";
import { GITALY_DOWN, protocolPart } from "../git/http.ts";
import { movedMessage } from "../git/moved.ts";
import { permit, plain, type Actor, type Permission } from "../git/permission.ts";
import { takePush } from "../git/push.ts";
import { throttle } from "../git/throttle.ts";
import { Refusal } from "../reply.ts";
import { parseShellCommand, type ShellCommand } from "./command.ts";
import { consoleMessage } from "./console.ts";
import type { Channel } from "./frames.ts";
import { findActor, welcomeName } from "./key-owner.ts";
import type { Order } from "./order.ts";

export interface Session {
  /** What the client sends, from where it was left off. */
  readonly socket: Socket;
  readonly send: (channel: Channel, bytes: Uint8Array) => Promise<void>;
  readonly signal: AbortSignal;
}

/** Does what somebody with a key asked for, in gitlab-shell's words. Returns the exit code for the client. */
export async function serveOrder(box: Box, order: Order, session: Session): Promise<number> {
  const say = (channel: Channel, text: string): Promise<void> => session.send(channel, Buffer.from(text));
  const command = parseShellCommand(order.command);
  try {
    if (command.kind === "disallowed") {
      await say("stderr", "Disallowed command\n");
      return 1;
    }
    if (command.kind === "welcome") {
      await say("stdout", `Welcome to GitLab, ${welcomeName(box.state, order.keyId)}!\n`);
      return 0;
    }
    return await serveRepository(box, order, command, session);
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    await say("stderr", consoleMessage(box.version, String(error.reply.text ?? "")));
    return 1;
  }
}

async function serveRepository(
  box: Box,
  order: Order,
  command: Extract<ShellCommand, { kind: "git" | "lfs" }>,
  session: Session,
): Promise<number> {
  const actor = findActor(box, order.keyId);
  const service = command.service === "git-receive-pack" ? command.service : "git-upload-pack";
  const permission = await permit(box, actor, command.fullPath, service);
  // gitlab-shell gets no token for an LFS that is switched off, and says nothing about it.
  if (command.kind === "lfs") return 0;
  if (box.state.faults.git.gitalyDown) throw plain(503, GITALY_DOWN);
  const folder = await box.repositories.ensure(permission.project);
  const words = [command.service.slice("git-".length), folder];
  const environment = { ...box.repositories.environment, ...protocolPart(order.protocol) };
  if (service === "git-upload-pack") {
    await announceMove(box, permission, session);
    return runGit(box, words, environment, session);
  }
  return push(box, actor, permission, (rules) => runGit(box, words, { ...environment, ...rules }, session));
}

async function push(
  box: Box,
  actor: Actor,
  permission: Permission,
  work: (rules: Readonly<Record<string, string>>) => Promise<number>,
): Promise<number> {
  let code = 1;
  await takePush(box, permission, actor.user, "ssh", async (rules) => {
    code = await work(rules);
  });
  return code;
}

/** After a push git's own hook says it. */
async function announceMove(box: Box, { project, movedFrom }: Permission, session: Session): Promise<void> {
  if (movedFrom === null) return;
  const text = movedMessage(box, project, movedFrom, "ssh");
  await session.send("stderr", Buffer.from(consoleMessage(box.version, text)));
}

async function runGit(
  box: Box,
  words: readonly string[],
  env: Readonly<Record<string, string>>,
  session: Session,
): Promise<number> {
  const child = launch("git", words, {
    cwd: box.repositories.root,
    env,
    keepStdin: true,
    signal: session.signal,
  });
  child.stdin?.on("error", () => {}); // git may answer without reading everything
  if (child.stdin) session.socket.pipe(child.stdin);
  await Promise.all([
    forward(box, child.stdout, "stdout", session),
    forward(box, child.stderr, "stderr", session),
  ]);
  const end = await child.ended;
  return end.exitCode ?? 128;
}

async function forward(box: Box, stream: Readable | null, channel: Channel, session: Session): Promise<void> {
  const slowly = throttle(() => box.state.faults.git.bytesPerSecond);
  if (!stream) return;
  try {
    for await (const piece of slowly(stream)) await session.send(channel, piece);
  } catch {
    stream.resume(); // the client went away, and the signal ends git
  }
}

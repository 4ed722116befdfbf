import { request as send } from "node:http";
import type { IncomingMessage } from "node:http";
import { shortSocketPath } from "./short-path.ts";

/** The edge answered, and said no. Any other error of a call means that the edge is not there or broke off. */
export class ControlRefused extends Error {
  override readonly name = "ControlRefused";
  readonly status: number;

  constructor(status: number, words: string) {
    super(words);
    this.status = status;
  }
}

/** One call of the edge's control socket. Throws `ControlRefused`, a connection's error, or the signal's reason. */
export async function callControl(
  socketPath: string,
  name: `${"GET" | "POST"} /${string}`,
  body: unknown,
  signal: AbortSignal,
): Promise<unknown> {
  await using socket = await shortSocketPath(socketPath);
  const answer = await open(socket.path, name, body, signal);
  answer.setEncoding("utf8");
  let text = "";
  for await (const piece of answer) text += String(piece);
  const value: unknown = JSON.parse(text);
  if (answer.statusCode === 200) return value;
  throw new ControlRefused(answer.statusCode ?? 500, text);
}

/** Resolves once an edge that answered has ended or let go of us; at once when there is none. */
export async function waitForEnd(socketPath: string, signal: AbortSignal): Promise<void> {
  await using socket = await shortSocketPath(socketPath);
  try {
    const answer = await open(socket.path, "GET /watch", null, signal);
    answer.resume();
    await new Promise((resolve) => answer.on("close", resolve).on("error", resolve));
  } catch {
    // Not there: that is what was waited for. An abort is seen below.
  }
  signal.throwIfAborted();
}

function open(path: string, name: string, body: unknown, signal: AbortSignal): Promise<IncomingMessage> {
  const [method = "GET", target = "/"] = name.split(" ");
  return new Promise((resolve, reject) => {
    const outgoing = send({ socketPath: path, method, path: target, agent: false, signal });
    outgoing.on("response", resolve).on("error", reject);
    outgoing.end(method === "POST" ? JSON.stringify(body) : undefined);
  });
}

import { readFile } from "node:fs/promises";
import type { z } from "zod";
import type { Config } from "../config.ts";
import { Fault } from "../faults/fault.ts";
import { logLineSchema, problemSchema } from "../http/contract.ts";
import { deadline } from "../kernel/clock.ts";
import { Secret } from "../kernel/secret.ts";
import { parseEvents } from "./events.ts";
import { ServerProblem } from "./failure.ts";

/** Connecting and linking wait for GitLab, which may be slow; nothing the server answers takes longer than this. */
const ANSWER_TIMEOUT_MS = 180_000;

interface Operation<Answer extends z.ZodType, Body extends z.ZodType> {
  readonly method: string;
  readonly url: string;
  readonly schema: { readonly body?: Body; readonly response: { readonly "2xx": Answer } };
}

interface StreamOperation {
  readonly method: string;
  readonly url: string;
}

type Query = Readonly<Record<string, string | number | boolean | undefined>>;

export interface CallInput<Body> {
  readonly params?: Readonly<Record<string, string>>;
  readonly query?: Query;
  readonly body?: Body;
}

export type StreamLine = z.output<typeof logLineSchema>;

export interface Client {
  /** One request, one parsed answer. Throws `ServerProblem`, or a Fault `SERVER_UNREACHABLE`. */
  call<A extends z.ZodType, B extends z.ZodType>(
    operation: Operation<A, B>,
    input?: CallInput<z.input<B>>,
  ): Promise<z.output<A>>;
  /** The lines of a stream to its end. One that breaks off throws `SERVER_UNREACHABLE`. `after` is the number of the last line seen. */
  stream(
    operation: StreamOperation,
    input: CallInput<never> & { readonly after?: number },
  ): AsyncGenerator<StreamLine>;
}

/** The token goes to the configured server and nowhere else: redirects are not followed. */
export async function createClient(config: Config, signal: AbortSignal): Promise<Client> {
  const token = config.apiToken ?? (await readTokenFile(config.apiTokenFile));
  const send = async (
    operation: StreamOperation,
    input: CallInput<unknown>,
    init: RequestInit,
  ): Promise<Response> => {
    const url = config.serverUrl + pathOf(operation.url, input);
    const body = input.body === undefined ? {} : { body: JSON.stringify(input.body) };
    const headers = new Headers(init.headers);
    headers.set("authorization", `Bearer ${token.reveal()}`);
    if (input.body !== undefined) headers.set("content-type", "application/json");
    try {
      return await fetch(url, { ...init, ...body, method: operation.method, headers, redirect: "manual" });
    } catch (error) {
      signal.throwIfAborted();
      throw unreachable(config.serverUrl, "No Fairlead server answers there.", error);
    }
  };
  return {
    call: async (operation, input = {}) => {
      const response = await send(operation, input, { signal: deadline(ANSWER_TIMEOUT_MS, signal) });
      const answer = await readJson(response, config.serverUrl);
      const parsed = operation.schema.response["2xx"].safeParse(answer);
      if (!parsed.success) throw unreachable(config.serverUrl, NOT_FAIRLEAD, parsed.error);
      return parsed.data;
    },
    stream: async function* (operation, input) {
      const headers = input.after === undefined ? {} : { "last-event-id": String(input.after) };
      const response = await send(operation, input, { signal, headers });
      if (!response.ok || response.body === null) await readJson(response, config.serverUrl);
      if (response.body === null) throw unreachable(config.serverUrl, NOT_FAIRLEAD);
      yield* readLines(response.body, config.serverUrl, signal);
    },
  };
}

const NOT_FAIRLEAD = "Something else than this version of Fairlead answers there.";

async function* readLines(
  body: AsyncIterable<Uint8Array>,
  url: string,
  signal: AbortSignal,
): AsyncGenerator<StreamLine> {
  try {
    for await (const event of parseEvents(body)) {
      if (event.name === "line") yield logLineSchema.parse(JSON.parse(event.data));
      if (event.name === "fault") throw new ServerProblem(problemSchema.parse(JSON.parse(event.data)));
      if (event.name === "end") return;
    }
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof ServerProblem) throw error;
    throw unreachable(url, "The connection to the server was lost.", error);
  }
  throw unreachable(url, "The server ended the stream before its end.");
}

async function readJson(response: Response, url: string): Promise<unknown> {
  const answer = await response.text().then(parseJson);
  if (response.ok) return answer;
  const problem = problemSchema.safeParse(answer);
  throw problem.success ? new ServerProblem(problem.data) : unreachable(url, NOT_FAIRLEAD);
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function unreachable(url: string, message: string, cause?: unknown): Fault {
  return Fault.of("SERVER_UNREACHABLE", "", { message, cause, evidence: { server: url }, retryable: true });
}

function pathOf(pattern: string, { params = {}, query = {} }: CallInput<unknown>): string {
  const path = pattern.replaceAll(/:(\w+)/g, (_match, name: string) =>
    encodeURIComponent(params[name] ?? ""),
  );
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) if (value !== undefined) search.set(name, String(value));
  return search.size === 0 ? path : `${path}?${search.toString()}`;
}

async function readTokenFile(path: string): Promise<Secret> {
  try {
    return new Secret((await readFile(path, "utf8")).trim());
  } catch (error) {
    const missing = error instanceof Error && "code" in error && error.code === "ENOENT";
    const message = missing
      ? `There is no API token at ${path}: has \`fairlead serve\` run with this data directory?`
      : `The API token at ${path} cannot be read: run this as the user that runs the server.`;
    throw Fault.of("SERVER_UNREACHABLE", "", { message, cause: error, evidence: { file: path } });
  }
}

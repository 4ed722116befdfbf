import { backoff } from "../kernel/retry.ts";
import { deadline, sleep, systemClock, type Clock } from "../kernel/clock.ts";
import type { Secret } from "../kernel/secret.ts";
import { Fault } from "../faults/fault.ts";
import { classifyNetworkError } from "./classify-network.ts";
import { isJson, toEvidence, type Answer } from "./answer.ts";
import { classifyAnswer } from "./classify.ts";
import { notGitLab } from "./not-gitlab.ts";
import { createConnections, type Connections } from "./connector.ts";
import { createLimiter, type Limiter } from "./limiter.ts";
import { createRedactor, type Redact } from "./redact.ts";
import { toHeaders, toPath, type Request } from "./request.ts";
import { secretsOf, type Network } from "./network.ts";
import { parseInstanceUrl } from "./url.ts";

export interface Success {
  readonly status: number;
  readonly headers: Answer["headers"];
  /** undefined: the answer had no body (204). */
  readonly json: unknown;
}

export interface TransportOptions extends Network {
  readonly baseUrl: string;
  /** null: nothing is sent along. */
  readonly token: Secret | null;
  readonly userAgent?: string | undefined;
  readonly clock?: Clock;
}

export interface Transport extends AsyncDisposable {
  readonly baseUrl: string;
  readonly origin: string;
  /** One call of the REST API. Resolves on 2xx with JSON or without body; throws Faults for everything else. */
  send(request: Request): Promise<Success>;
  /** One request whose answer is taken as it comes, any status: for what is not the API. Not retried. Throws the network's Faults. */
  ask(request: Request): Promise<Answer>;
  /** The Fault that an answer of `ask` means. */
  explain(answer: Answer): Fault;
  readonly redact: Redact;
}

const SLOTS = 8;
const TIMEOUT_MS = 15_000;
const MAX_TRIES = 3;
const MAX_WAIT_MS = 60_000;
const MAX_BODY_BYTES = 16 * 1024 * 1024;

interface Context {
  readonly connections: Connections;
  /** Of the connection, not of the request: for a gate before GitLab. */
  readonly extra: Readonly<Record<string, Secret>>;
  readonly limiter: Limiter;
  readonly token: Secret | null;
  readonly redact: Redact;
  readonly base: URL;
  readonly userAgent: string;
  readonly clock: Clock;
}

/**
 * Requests to one GitLab, with one token. The token goes to `origin` only: redirects are not followed, `Link` headers are read for their
 * query alone. It is held in closures: printing the transport or an error of it shows nothing of it.
 */
export function createTransport(options: TransportOptions): Transport {
  const { baseUrl, origin } = parseInstanceUrl(options.baseUrl);
  const clock = options.clock ?? systemClock;
  const context: Context = {
    connections: createConnections(new URL(baseUrl), options, SLOTS),
    extra: options.headers ?? {},
    limiter: createLimiter(SLOTS, clock),
    token: options.token,
    redact: createRedactor(...(options.token ? [options.token] : []), ...secretsOf(options)),
    base: new URL(baseUrl),
    userAgent: options.userAgent ?? "fairlead",
    clock,
  };
  return {
    baseUrl,
    origin,
    send: (request) => sendWithRetry(context, request),
    ask: (request) => askOnce(context, request),
    explain: (answer) => classifyAnswer(answer, context.redact, clock.now()),
    redact: context.redact,
    [Symbol.asyncDispose]: () => close(context.connections),
  };
}

/** Lets requests under way end (each has its own deadline), but not for longer than one of them may take. */
async function close({ agent }: Connections): Promise<void> {
  const end = AbortSignal.timeout(TIMEOUT_MS);
  const closing = agent.close();
  await Promise.race([closing, new Promise((resolve) => end.addEventListener("abort", resolve))]);
  await agent.destroy();
}

/**
 * GET, PUT and DELETE are tried again after 429, 502, 503, 504 and lost connections; never after more than a minute's wait, never POST: GitLab
 * may have done what it was asked.
 */
async function sendWithRetry(context: Context, request: Request): Promise<Success> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await context.limiter.run(request.signal, () => exchange(context, request));
    } catch (thrown) {
      // Only waiting for a slot throws anything else: the caller stopped.
      const fault = thrown instanceof Fault ? thrown : stopped(request, thrown);
      const wait = attempt < MAX_TRIES ? waitBeforeRetry(request, fault, attempt, context.clock) : null;
      if (wait === null || request.signal?.aborted) throw fault;
      // Whoever gives up waiting is told why we waited.
      await sleep(wait, request.signal).catch(() => Promise.reject(fault));
    }
  }
}

async function askOnce(context: Context, request: Request): Promise<Answer> {
  try {
    return await context.limiter.run(request.signal, () => ask(context, request));
  } catch (thrown) {
    throw thrown instanceof Fault ? thrown : stopped(request, thrown);
  }
}

function waitBeforeRetry(request: Request, fault: Fault, attempt: number, clock: Clock): number | null {
  if (request.method === "POST" || !fault.retryable) return null;
  const again =
    fault.is("RATE_LIMITED") ||
    fault.is("UNREACHABLE", "reset") ||
    (fault.is("GITLAB_UNAVAILABLE") && [502, 503, 504].includes(fault.evidence.status ?? 0));
  if (!again) return null;
  const jitter = backoff(attempt, 500, 4000);
  const wait = fault.retryAt === null ? jitter : Math.max(0, fault.retryAt - clock.now()) + jitter / 2;
  return wait <= MAX_WAIT_MS ? wait : null;
}

async function exchange(context: Context, request: Request): Promise<Success> {
  const answer = await ask(context, request);
  context.limiter.observe(answer.headers);
  const success = answer.status >= 200 && answer.status < 300;
  if (!success) throw classifyAnswer(answer, context.redact, context.clock.now());
  if (answer.text === "" && answer.status === 204) {
    return { status: answer.status, headers: answer.headers, json: undefined };
  }
  if (request.secretAnswer)
    return { status: answer.status, headers: answer.headers, json: parseJson(answer, () => "") };
  // A server that sends the token back, as a user's name say, would else have it stored and shown.
  const clean = { ...answer, text: context.redact(answer.text) };
  return { status: answer.status, headers: answer.headers, json: parseJson(clean, context.redact) };
}

/** GitLab's API answers in JSON only: a page with status 200 comes from a login proxy or GitLab's deploy page. */
function parseJson(answer: Answer, redact: Redact): unknown {
  const evidence = toEvidence(answer, redact);
  if (!answer.complete) {
    throw notGitLab(answer, { ...evidence, note: "The answer is too large", limitBytes: MAX_BODY_BYTES });
  }
  if (!isJson(answer)) throw notGitLab(answer, evidence);
  try {
    const json: unknown = JSON.parse(answer.text);
    return json;
  } catch {
    throw notGitLab(answer, evidence);
  }
}

async function ask(context: Context, request: Request): Promise<Answer> {
  const path = toPath(context.base, request);
  const asked = {
    method: request.method,
    pathTemplate: request.template,
    url: `${context.base.origin}${path.split("?")[0] ?? ""}`,
    sent: Object.keys(request.body ?? {}),
  };
  const { token, userAgent, base } = context;
  const { agent, prefix, headers: toProxy } = context.connections;
  const headers = {
    ...reveal(context.extra),
    ...toProxy,
    ...toHeaders(request, { token, userAgent, host: base.host }),
  };
  const body = request.body === undefined ? null : JSON.stringify(request.body);
  const signal = deadline(request.timeoutMs ?? TIMEOUT_MS, request.signal);
  try {
    const { method } = request;
    const response = await agent.request({
      origin: context.base.origin,
      path: `${prefix}${path}`,
      method,
      headers,
      body,
      signal,
    });
    const received = await readBody(response.body);
    return {
      ...asked,
      status: response.statusCode,
      headers: flatten(response.headers, context.redact),
      ...received,
    };
  } catch (thrown) {
    if (request.signal?.aborted) throw stopped(request, request.signal.reason);
    const { method, template: pathTemplate } = request;
    const instance = `${context.base.origin}${context.base.pathname.replace(/\/$/, "")}`;
    const evidence = { method, pathTemplate, host: context.base.host, instance };
    if (signal.aborted) throw Fault.of("UNREACHABLE", "timeout", { evidence, retryable: true });
    throw classifyNetworkError(thrown, evidence);
  }
}

/** A caller's deadline that passed is a time-out of GitLab; a caller that gave up is not. */
function stopped(request: Request, reason: unknown): Fault {
  const evidence = { method: request.method, pathTemplate: request.template };
  if (reason instanceof DOMException && reason.name === "TimeoutError") {
    return Fault.of("UNREACHABLE", "timeout", { evidence, retryable: true });
  }
  return Fault.of("CANCELLED", "", { evidence, cause: reason });
}

function reveal(secrets: Readonly<Record<string, Secret>>): Record<string, string> {
  return Object.fromEntries(Object.entries(secrets).map(([name, value]) => [name, value.reveal()]));
}

/** Reads up to the limit; the rest is not fetched (leaving the loop destroys the stream and its connection). */
async function readBody(stream: AsyncIterable<unknown>): Promise<{ text: string; complete: boolean }> {
  const chunks: Buffer[] = [];
  let size = 0;
  let complete = true;
  for await (const chunk of stream) {
    if (!(chunk instanceof Buffer)) continue;
    size += chunk.length;
    if (size > MAX_BODY_BYTES) {
      complete = false;
      break;
    }
    chunks.push(chunk);
  }
  return { text: Buffer.concat(chunks).toString("utf8"), complete };
}

/** Without the token, which a proxy or a debugging server may echo in any of them. */
function flatten(
  headers: Readonly<Record<string, string | string[] | undefined>>,
  redact: Redact,
): Record<string, string | undefined> {
  const entries = Object.entries(headers).map(([name, value]): [string, string | undefined] => {
    const text = Array.isArray(value) ? value.join(", ") : value;
    return [name.toLowerCase(), text === undefined ? undefined : redact(text)];
  });
  return Object.fromEntries(entries);
}

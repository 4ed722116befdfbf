import { request as plainRequest, type IncomingMessage, type RequestOptions } from "node:http";
import { request as tlsRequest } from "node:https";
import { isIP, type LookupFunction } from "node:net";
import { toError } from "../../kernel/clock.ts";
import { readAnswer, type Answer } from "./answer.ts";
import { connectionError, timeoutError } from "./transport-words.ts";
import { decoded, judgeUrl, type OutboundPolicy } from "./url-blocker.ts";

/** HTTParty's limit. */
const MAX_REDIRECTS = 5;

export interface Outgoing {
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  /** Asked again for every hop: a redirect does not lead behind the wall. */
  readonly policy: OutboundPolicy;
  readonly verifyTls: boolean;
  readonly timeoutMs: number;
  /** A larger answer ends the call. */
  readonly maxResponseBytes: number;
  readonly signal: AbortSignal;
}

/**
 * Posts as GitLab's HTTP client does: redirects are followed, and 301, 302 and 303 turn the POST into a GET without a body. Throws what
 * GitLab writes down as `internal_error_message`.
 */
export async function post(url: string, outgoing: Outgoing): Promise<Answer> {
  let at = new URL(url);
  let method = "POST";
  for (let hop = 0; ; hop++) {
    const answer = await send(at, method, outgoing);
    const location = answer.headers["Location"];
    const redirects = [301, 302, 303, 307, 308].includes(answer.status);
    if (!redirects || location === undefined || !URL.canParse(location, at.href)) return answer;
    if (hop >= MAX_REDIRECTS) throw new Error("HTTP redirects too deep");
    at = new URL(location, at);
    if (answer.status <= 303) method = "GET";
  }
}

async function send(url: URL, method: string, outgoing: Outgoing): Promise<Answer> {
  const verdict = await judgeUrl(url.href, outgoing.policy);
  if (verdict.blocked !== null) throw new Error(`URL is blocked: ${verdict.blocked}`);
  const clock = startClock(outgoing);
  try {
    const incoming = await open(url, method, outgoing, verdict.address, clock);
    return await readAnswer(incoming, outgoing.maxResponseBytes);
  } catch (error) {
    if (outgoing.signal.aborted) throw outgoing.signal.reason;
    throw clock.signal.aborted ? timeoutError(clock.phase, outgoing.timeoutMs) : toError(error);
  }
}

export type Phase = "connecting" | "waiting" | "reading";

interface CallClock {
  phase: Phase;
  readonly signal: AbortSignal;
}

function startClock(outgoing: Outgoing): CallClock {
  const timeout = AbortSignal.timeout(outgoing.timeoutMs);
  return { phase: "connecting", signal: AbortSignal.any([outgoing.signal, timeout]) };
}

function open(
  url: URL,
  method: string,
  outgoing: Outgoing,
  address: string | null,
  clock: CallClock,
): Promise<IncomingMessage> {
  const body = Buffer.from(method === "POST" ? outgoing.body : "");
  const options: RequestOptions & { readonly rejectUnauthorized: boolean } = {
    method,
    headers: {
      ...outgoing.headers,
      Accept: "*/*",
      Connection: "close",
      ...(method === "POST" ? { "Content-Length": String(body.length) } : {}),
    },
    signal: clock.signal,
    agent: false,
    rejectUnauthorized: outgoing.verifyTls,
    ...(address === null ? {} : { lookup: pinnedTo(address) }),
    ...(url.username === "" ? {} : { auth: `${decoded(url.username)}:${decoded(url.password)}` }),
  };
  return new Promise((resolve, reject) => {
    const call = (url.protocol === "https:" ? tlsRequest : plainRequest)(url, options, (incoming) => {
      clock.phase = "reading";
      resolve(incoming);
    });
    call.once("socket", (socket) => socket.once("connect", () => (clock.phase = "waiting")));
    call.once("error", (error) => reject(connectionError(url, error)));
    call.end(body);
  });
}

/** The call goes to the address that was checked, whatever the name means by now. */
function pinnedTo(address: string): LookupFunction {
  const family = isIP(address);
  return (_host, options, done) => {
    if (options.all) done(null, [{ address, family }]);
    else done(null, address, family);
  };
}

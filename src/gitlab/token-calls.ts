import { Fault } from "../faults/fault.ts";
import { systemClock } from "../kernel/clock.ts";
import type { Call, GitLab, InstanceInfo, TokenInfo } from "./gitlab.ts";
import { parseAs } from "./parse.ts";
import { tokenSchema, userSchema, versionSchema } from "./schemas.ts";
import type { Success, Transport } from "./transport.ts";

/** What concerns the instance and the token. */
export function createTokenCalls(
  transport: Transport,
): Pick<GitLab, "instance" | "findToken" | "getUser" | "probeApiScope"> {
  const getUser: GitLab["getUser"] = async (call) => {
    const template = "/user";
    return parseAs(userSchema, await transport.send({ method: "GET", template, ...call }), template);
  };
  return {
    getUser,
    instance: (call) => readInstance(transport, call),
    findToken: (call) => findToken(transport, getUser, call),
    probeApiScope: (call) => probeApiScope(transport, call),
  };
}

/** `/version` exists since 8.13 and says since 15.5 what `/metadata` says; up to 12.8 it needs `api`, then `read_user`. */
async function readInstance(transport: Transport, call?: Call): Promise<InstanceInfo> {
  const template = "/version";
  try {
    const asked = systemClock.now();
    const success = await transport.send({ method: "GET", template, ...call });
    const { version, enterprise } = parseAs(versionSchema, success, template);
    const ee = enterprise ?? version.endsWith("-ee");
    return {
      version: version.replace(/-[ce]e$/, "").slice(0, 40),
      edition: ee ? "ee" : "ce",
      ...readSkew(success.headers, asked, systemClock.now()),
      ...readLimit(success.headers),
    };
  } catch (error) {
    if (error instanceof Fault && error.is("INSUFFICIENT_SCOPES"))
      return { version: null, edition: "unknown" };
    throw error;
  }
}

/** Against the middle of the request's time, because nobody knows when in it GitLab looked at its clock. */
function readSkew(
  headers: Success["headers"],
  asked: number,
  answered: number,
): Pick<InstanceInfo, "skewSeconds"> {
  const theirs = Date.parse(headers["date"] ?? "");
  return Number.isNaN(theirs) ? {} : { skewSeconds: Math.round((theirs - (asked + answered) / 2) / 1000) };
}

function readLimit(headers: Success["headers"]): Pick<InstanceInfo, "rateLimit"> {
  const limit = Number(headers["ratelimit-limit"]);
  const remaining = Number(headers["ratelimit-remaining"]);
  return limit > 0 && remaining >= 0 ? { rateLimit: { limit, remaining } } : {};
}

/**
 * `self` exists since 15.5. 15.1 to 15.4 take the word for an id and answer 401 or 403 for good tokens, older ones 404: only `/user`
 * tells a dead token then. Tokens that may not read themselves (fine-grained) count as "probe" too.
 */
async function findToken(
  transport: Transport,
  getUser: GitLab["getUser"],
  call?: Call,
): Promise<TokenInfo | null> {
  const template = "/personal_access_tokens/self";
  try {
    return parseAs(tokenSchema, await transport.send({ method: "GET", template, ...call }), template);
  } catch (error) {
    if (!(error instanceof Fault) || !maySpeakUntrue(error)) throw error;
  }
  try {
    await getUser(call);
  } catch (error) {
    if (!(error instanceof Fault) || !error.is("INSUFFICIENT_SCOPES")) throw error;
  }
  return null;
}

function maySpeakUntrue(fault: Fault): boolean {
  return (
    fault.is("AUTH_FAILED", "unknown_token") ||
    fault.is("INSUFFICIENT_SCOPES") ||
    fault.is("INSUFFICIENT_ROLE") ||
    fault.is("NOT_FOUND") ||
    fault.is("NOT_GITLAB", "wrong_path") ||
    fault.evidence.status === 405
  );
}

/** GitLab checks token, account and scope before parameters, in every version: 400 means that the scope suffices. */
async function probeApiScope(transport: Transport, call?: Call): Promise<void> {
  const template = "/projects";
  try {
    await transport.send({ method: "POST", template, body: {}, ...call });
  } catch (error) {
    if (error instanceof Fault && error.is("BAD_REQUEST") && error.evidence.status === 400) return;
    throw error;
  }
  throw Fault.of("NOT_GITLAB", "not_json", {
    evidence: { method: "POST", pathTemplate: template, note: "A project without a name was not refused" },
  });
}

import { Fault, type Evidence } from "../faults/fault.ts";
import { readEnvelope, readRetryAt, toEvidence, type Answer } from "./answer.ts";
import { classifyCreation, isCreation } from "./classify-creation.ts";
import { classifyRedirect } from "./classify-redirect.ts";
import { classifyRefusal } from "./classify-refusal.ts";
import { classifyRejection } from "./classify-rejection.ts";
import { notGitLab } from "./not-gitlab.ts";
import type { Redact } from "./redact.ts";
import type { Envelope } from "./words.ts";

/**
 * Names the trouble in an answer that is not a plain success: the one place where GitLab's words are read (sources: GitLab's
 * `lib/api/api_guard.rb`, `lib/api/helpers.rb` and the endpoint classes, 10.5 to 19). Callers read code and reason.
 */
export function classifyAnswer(answer: Answer, redact: Redact, now: number): Fault {
  const evidence = toEvidence(answer, redact);
  if (answer.status >= 300 && answer.status < 400) return classifyRedirect(answer, evidence, redact);
  const before = classifyGate(answer, evidence);
  if (before) return before;
  if (answer.status === 429) return rateLimited(answer, evidence, now);
  const envelope = readEnvelope(answer);
  if (answer.status >= 500) return unavailable(answer, envelope, evidence, now);
  if (!envelope || answer.status < 400) return notGitLab(answer, evidence);
  if (answer.status === 401 || answer.status === 403) return classifyRefusal(answer, envelope, evidence);
  const creation = isCreation(answer) ? classifyCreation(answer, envelope, evidence) : null;
  return creation ?? classifyRejection(answer, envelope, evidence);
}

/** What answers in GitLab's place by its own name: a proxy (Squid says so in a header), or the captive portal of a network (511). */
function classifyGate(answer: Answer, evidence: Evidence): Fault | null {
  if (answer.status === 407 || answer.headers["x-squid-error"] !== undefined) {
    return Fault.of("UNREACHABLE", "proxy", { evidence });
  }
  return answer.status === 511 ? Fault.of("NOT_GITLAB", "sso", { evidence }) : null;
}

/** 520 to 527: Cloudflare could not reach what is behind it. */
function isGateway(status: number): boolean {
  return status === 502 || status === 504 || (status >= 520 && status <= 527);
}

function rateLimited(answer: Answer, evidence: Evidence, now: number): Fault {
  const retryAt = readRetryAt(answer.headers, now);
  return Fault.of("RATE_LIMITED", "", {
    evidence,
    retryable: true,
    ...(retryAt === undefined ? {} : { retryAt }),
  });
}

/**
 * 503 with JSON is maintenance mode when a write is refused; on a read it is Gitaly at its limit. Without JSON nginx, Workhorse or
 * another proxy answered for GitLab.
 */
function unavailable(answer: Answer, envelope: Envelope | null, evidence: Evidence, now: number): Fault {
  const retryAt = readRetryAt(answer.headers, now);
  const maintenance = answer.status === 503 && envelope !== null && answer.method !== "GET";
  const gateway = envelope === null && (isGateway(answer.status) || answer.status === 503);
  const reason = maintenance ? "maintenance" : gateway ? "bad_gateway" : "error";
  return Fault.of("GITLAB_UNAVAILABLE", reason, {
    evidence,
    retryable: true,
    ...(retryAt === undefined ? {} : { retryAt }),
  });
}

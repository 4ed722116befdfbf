import { explain } from "./catalogue.ts";
import type { FaultCode } from "./codes.ts";
import type { Evidence, Fault } from "./fault.ts";
import type { Instance } from "./places.ts";

/** RFC 9457. */
export interface Problem {
  /** `urn:fairlead:error:AUTH_FAILED:expired`; docs/errors.md explains each. */
  type: string;
  title: string;
  /** The status of *this* answer. What GitLab answered is in the evidence. */
  status: number;
  detail: string;
  code: FaultCode;
  reason: string;
  fix: string[];
  evidence: Record<string, string | number>;
  /** Of the request to Fairlead; GitLab's own is in the evidence. */
  requestId?: string;
}

export interface ProblemContext extends Instance {
  readonly requestId?: string | undefined;
}

/** A fault as the body of an error answer. Holds nothing of its cause, its stack or an unforeseen error's message. */
export function toProblem(fault: Fault, context: ProblemContext): Problem {
  const { requestId: _, ...instance } = context;
  const { title, cause, fix } = explain(fault, instance);
  return {
    type: `urn:fairlead:error:${[fault.code, fault.reason].filter((part) => part !== "").join(":")}`,
    title,
    status: statusOf(fault),
    detail: cause,
    code: fault.code,
    reason: fault.reason,
    fix: [...fix],
    evidence: toFacts(fault.evidence),
    ...(context.requestId === undefined ? {} : { requestId: context.requestId }),
  };
}

/** The evidence that is there, texts cut at 2 KB. */
export function toFacts(evidence: Evidence): Record<string, string | number> {
  const facts = Object.entries(evidence).flatMap(([name, value]): [string, string | number][] => {
    if (typeof value === "string") return [[name, value.slice(0, 2048)]];
    return typeof value === "number" && Number.isFinite(value) ? [[name, value]] : [];
  });
  return Object.fromEntries(facts);
}

/**
 * GitLab's refusals are not ours: its 401 must not look as if our own token were wrong, so they are 424, and 502 or 504 where GitLab could not
 * be reached. 409 and 422 are for what the client can change.
 */
const STATUS: Readonly<Record<FaultCode, number>> = {
  INVALID_URL: 400,
  UNREACHABLE: 502,
  TLS_UNTRUSTED: 502,
  REDIRECTED: 502,
  NOT_GITLAB: 502,
  RATE_LIMITED: 503,
  GITLAB_UNAVAILABLE: 503,
  AUTH_FAILED: 424,
  ACCOUNT_UNUSABLE: 424,
  INSUFFICIENT_SCOPES: 424,
  PROJECT_NOT_FOUND: 424,
  INSUFFICIENT_ROLE: 424,
  PROJECT_ARCHIVED: 424,
  REPOSITORY_DISABLED: 424,
  REPOSITORY_EMPTY: 424,
  HOOK_URL_REFUSED: 424,
  HOOK_UNREACHABLE: 424,
  HOOK_LIMIT_REACHED: 424,
  HOOK_DISABLED: 424,
  HOOKS_SILENCED: 424,
  DEPLOY_KEY_TAKEN: 424,
  DEPLOY_KEY_FORBIDDEN: 424,
  IMPORT_DISABLED: 424,
  IMPORT_UNREACHABLE: 424,
  IMPORT_BLOCKED: 424,
  IMPORT_FORBIDDEN: 424,
  IMPORT_FAILED: 424,
  NAME_TAKEN: 409,
  NAME_INVALID: 422,
  NAMESPACE_FORBIDDEN: 424,
  PROJECT_LIMIT_REACHED: 424,
  VISIBILITY_RESTRICTED: 424,
  GIT_AUTH_FAILED: 424,
  GIT_SCOPE_MISSING: 424,
  GIT_ROLE_MISSING: 424,
  GIT_PROTOCOL_DISABLED: 424,
  GIT_HOST_KEY_CHANGED: 424,
  GIT_NOT_FOUND: 424,
  GIT_FAILED: 502,
  BUILD_UNDETECTED: 422,
  BUILD_FAILED: 422,
  BUILD_TIMEOUT: 422,
  START_FAILED: 422,
  UNHEALTHY: 422,
  SUPERSEDED: 409,
  CANCELLED: 409,
  LOST_WORKER: 503,
  RUNTIME_UNAVAILABLE: 503,
  BAD_REQUEST: 400,
  UNAUTHORIZED: 401,
  NOT_FOUND: 404,
  CONFLICT: 409,
  TOO_LARGE: 413,
  CONFIG_INVALID: 500,
  DATABASE_UNAVAILABLE: 503,
  KEY_UNUSABLE: 500,
  BACKUP_INVALID: 422,
  SERVER_UNREACHABLE: 503,
  INTERNAL: 500,
};

function statusOf(fault: Fault): number {
  if (fault.is("UNREACHABLE", "timeout") || fault.is("GIT_FAILED", "timeout")) return 504;
  return STATUS[fault.code];
}

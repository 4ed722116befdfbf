/**
 * Every code a person can meet, with its finer reasons. A code never changes its meaning; a code without listed reasons has
 * the single reason "". `catalogue.ts` explains each pair; a test holds the two lists together.
 */
export const CODES = {
  INVALID_URL: [""],
  UNREACHABLE: ["dns", "refused", "timeout", "reset", "proxy"],
  TLS_UNTRUSTED: ["unknown_ca", "self_signed", "name_mismatch", "expired"],
  REDIRECTED: ["to_https", "other_host", "login"],
  NOT_GITLAB: ["html", "wrong_path", "sso", "not_json"],
  RATE_LIMITED: [""],
  GITLAB_UNAVAILABLE: ["maintenance", "read_only", "bad_gateway", "error"],

  AUTH_FAILED: [
    "unknown_token",
    "expired",
    "revoked",
    "impersonation_disabled",
    "dpop_required",
    "wrong_kind",
  ],
  ACCOUNT_UNUSABLE: [
    "blocked",
    "deactivated",
    "terms",
    "email_unconfirmed",
    "password_expired",
    "pending_approval",
  ],
  INSUFFICIENT_SCOPES: ["missing_api", "missing_permissions"],

  PROJECT_NOT_FOUND: ["hidden_or_missing", "moved", "pending_deletion"],
  INSUFFICIENT_ROLE: [""],
  PROJECT_ARCHIVED: [""],
  REPOSITORY_DISABLED: [""],
  REPOSITORY_EMPTY: [""],

  HOOK_URL_REFUSED: [""],
  HOOK_UNREACHABLE: [""],
  HOOK_LIMIT_REACHED: [""],
  HOOK_DISABLED: [""],
  HOOKS_SILENCED: [""],
  DEPLOY_KEY_TAKEN: [""],
  DEPLOY_KEY_FORBIDDEN: [""],

  IMPORT_DISABLED: [""],
  IMPORT_UNREACHABLE: [""],
  IMPORT_BLOCKED: [""],
  IMPORT_FORBIDDEN: [""],
  IMPORT_FAILED: [""],
  NAME_TAKEN: [""],
  NAME_INVALID: [""],
  NAMESPACE_FORBIDDEN: [""],
  PROJECT_LIMIT_REACHED: [""],
  VISIBILITY_RESTRICTED: [""],

  GIT_AUTH_FAILED: [""],
  GIT_SCOPE_MISSING: [""],
  GIT_ROLE_MISSING: [""],
  GIT_PROTOCOL_DISABLED: [""],
  GIT_HOST_KEY_CHANGED: [""],
  GIT_NOT_FOUND: [""],
  GIT_FAILED: ["", "commit_missing", "timeout"],

  BUILD_UNDETECTED: [""],
  BUILD_FAILED: [""],
  BUILD_TIMEOUT: [""],
  START_FAILED: [""],
  UNHEALTHY: ["timeout", "exited", "bad_status"],
  SUPERSEDED: [""],
  CANCELLED: [""],
  LOST_WORKER: [""],
  RUNTIME_UNAVAILABLE: ["", "no_isolation"],

  // Fairlead itself
  BAD_REQUEST: ["", "malformed_json", "invalid", "unsupported"],
  UNAUTHORIZED: ["", "bad_secret"],
  NOT_FOUND: [""],
  CONFLICT: ["", "name_taken", "in_use"],
  TOO_LARGE: [""],
  CONFIG_INVALID: [""],
  DATABASE_UNAVAILABLE: ["", "in_use", "wrong_version", "newer_schema"],
  KEY_UNUSABLE: ["missing", "wrong", "permissions"],
  BACKUP_INVALID: [""],
  SERVER_UNREACHABLE: [""],
  INTERNAL: [""],
} as const;

export type FaultCode = keyof typeof CODES;
export type FaultReason<C extends FaultCode> = (typeof CODES)[C][number];

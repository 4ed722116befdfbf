import type { FaultCode } from "./codes.ts";

/** A message that users of such an integration know, and what it means here. */
export interface KnownMessage {
  readonly message: string;
  readonly means: string;
  readonly now: readonly (readonly [FaultCode, string])[];
  readonly todo: string;
}

/** The seven rows of the usual table of troubles. */
export const KNOWN_MESSAGES: readonly KnownMessage[] = [
  {
    message: "AUTH_FAILED at connection",
    means:
      "GitLab refuses the token. Which of six reasons it is, GitLab says in most cases; that tokens are switched off it does not say.",
    now: [
      ["AUTH_FAILED", "unknown_token"],
      ["AUTH_FAILED", "expired"],
      ["AUTH_FAILED", "revoked"],
      ["AUTH_FAILED", "wrong_kind"],
      ["ACCOUNT_UNUSABLE", "blocked"],
    ],
    todo: "Copy the whole token again or make a new one. If the account is barred (ACCOUNT_UNUSABLE), a new token would not help.",
  },
  {
    message: "INSUFFICIENT_SCOPES at connection",
    means:
      "The token is alive and lacks the scope `api`; nothing smaller may create webhooks, deploy keys or commit statuses.",
    now: [
      ["INSUFFICIENT_SCOPES", "missing_api"],
      ["INSUFFICIENT_SCOPES", "missing_permissions"],
    ],
    todo: "Make a new token with `api`: scopes cannot be added to an existing one.",
  },
  {
    message: "insufficient_scope during deployment",
    means:
      "The token was exchanged for a smaller one, or git is refused. Fairlead asks for the scope before it stores a connection, so that a deployment does not meet it first.",
    now: [
      ["INSUFFICIENT_SCOPES", "missing_api"],
      ["GIT_SCOPE_MISSING", ""],
      ["INSUFFICIENT_ROLE", ""],
    ],
    todo: "`fairlead doctor NAME` says which: the scope, the role in the project, or git.",
  },
  {
    message: "insufficient_scope or 404 during template import",
    means:
      "Neither is what GitLab says. Import by URL is switched off by default since GitLab 16.0 and then answers a bare 403; a URL that GitLab cannot reach answers 422 before that, whether imports are on or off.",
    now: [
      ["IMPORT_DISABLED", ""],
      ["IMPORT_UNREACHABLE", ""],
      ["IMPORT_BLOCKED", ""],
      ["IMPORT_FORBIDDEN", ""],
    ],
    todo: "An administrator ticks “Repository by URL” among the import sources (see the table of places below for where it is in your version).",
  },
  {
    message: "repositories not loading",
    means:
      "The token may not see them, GitLab is slow or limits the rate, or the address leads somewhere else. A token with read_user or a git scope alone lists nothing.",
    now: [
      ["INSUFFICIENT_SCOPES", "missing_api"],
      ["PROJECT_NOT_FOUND", "hidden_or_missing"],
      ["RATE_LIMITED", ""],
      ["NOT_GITLAB", "html"],
      ["REDIRECTED", "login"],
    ],
    todo: "`fairlead check URL --project GROUP/PROJECT` names the reason for one of them.",
  },
  {
    message: "webhook not created",
    means:
      "The role is below Maintainer, the address is in a private network that GitLab does not call by default, or the project has as many webhooks as it may.",
    now: [
      ["INSUFFICIENT_ROLE", ""],
      ["HOOK_URL_REFUSED", ""],
      ["HOOK_LIMIT_REACHED", ""],
      ["HOOKS_SILENCED", ""],
    ],
    todo: "Deployments go on without it: Fairlead looks at the branches by itself. `fairlead doctor NAME --fix` makes the webhook when the reason is gone.",
  },
  {
    message: "deploy fails at git clone",
    means:
      "git is asked in another way than the API, and can be refused by itself: git over HTTPS is off, the role is Guest, a proxy does not pass git's sign-in, or the certificate is not trusted.",
    now: [
      ["GIT_AUTH_FAILED", ""],
      ["GIT_SCOPE_MISSING", ""],
      ["GIT_ROLE_MISSING", ""],
      ["GIT_PROTOCOL_DISABLED", ""],
      ["GIT_NOT_FOUND", ""],
      ["TLS_UNTRUSTED", "unknown_ca"],
    ],
    todo: "`fairlead check URL --project GROUP/PROJECT` reads the repository by the very way of a deployment and names the reason.",
  },
];

import type { FaultCode } from "./codes.ts";

/** One thing that people see of a GitLab, and what Fairlead makes of it. */
export interface Symptom {
  readonly seen: string;
  /** Where its cause and fix are explained; null: it is no error here, and the note says why. */
  readonly fault: readonly [FaultCode, string] | null;
  /** By what it is told apart, which check tells it, or why it cannot be told apart: then every cause is named. */
  readonly note: string;
}

const row = (seen: string, fault: Symptom["fault"], note: string): Symptom => ({ seen, fault, note });

/** In the order of the reference's table of symptoms, 1 to 75. A flat list. */
export const SYMPTOMS: readonly Symptom[] = [
  row(
    "401 Unauthorized for every request",
    ["AUTH_FAILED", "unknown_token"],
    "mistyped, deleted, of another GitLab, tokens switched off for everybody, or dropped by a proxy: the answers are the same byte for byte, so all five are named",
  ),
  row(
    "401 invalid_token, Token is expired",
    ["AUTH_FAILED", "expired"],
    "GitLab's words; token.expiry warns 30 days before",
  ),
  row(
    "401 invalid_token, Token was revoked",
    ["AUTH_FAILED", "revoked"],
    "GitLab's words; who revoked it and why GitLab does not say: all reasons are named",
  ),
  row(
    "401 invalid_token, impersonation was disabled",
    ["AUTH_FAILED", "impersonation_disabled"],
    "GitLab's words",
  ),
  row(
    "reading works, writing is 403 insufficient_scope",
    ["INSUFFICIENT_SCOPES", "missing_api"],
    "token.scopes, by the token's page or by the probe",
  ),
  row(
    "403 insufficient_scope even for the user",
    ["INSUFFICIENT_SCOPES", "missing_api"],
    "the scopes that are there are shown: read_repository or write_repository open nothing but git",
  ),
  row(
    "403 insufficient_granular_scope",
    ["INSUFFICIENT_SCOPES", "missing_permissions"],
    "check --project names the permissions that are missing",
  ),
  row(
    "403 account has been blocked",
    ["ACCOUNT_UNUSABLE", "blocked"],
    "believed only when a second request says it too",
  ),
  row(
    "the same, only now and then",
    ["ACCOUNT_UNUSABLE", "blocked"],
    "a failing LDAP server: the second request succeeds and nothing is reported; where both fail, LDAP is named as a cause",
  ),
  row("403 must accept the Terms of Service", ["ACCOUNT_UNUSABLE", "terms"], "GitLab's words"),
  row("403 account has been deactivated", ["ACCOUNT_UNUSABLE", "deactivated"], "GitLab's words"),
  row("403 password expired", ["ACCOUNT_UNUSABLE", "password_expired"], "GitLab's words"),
  row(
    "403 primary email address is not confirmed",
    ["ACCOUNT_UNUSABLE", "email_unconfirmed"],
    "GitLab's words",
  ),
  row("403 pending approval", ["ACCOUNT_UNUSABLE", "pending_approval"], "GitLab's words"),
  row(
    "the token's own page says 401, the user's page 200 (15.1 to 15.4)",
    null,
    "no error: these versions take “self” for an id; the token is probed and passes",
  ),
  row("the token's own page is 404 (before 15.5)", null, "no error: probed"),
  row(
    "the token's own page says 400, requires a personal access token",
    ["AUTH_FAILED", "wrong_kind"],
    "an OAuth token (17.8 and later say so)",
  ),
  row(
    "every address is 404 Not Found",
    ["NOT_GITLAB", "wrong_path"],
    "no address of the API is known: the sub-path is missing; where GitLab is found nearby it is named",
  ),
  row(
    "only paths with %2F are 404, ids work",
    null,
    "no error: a proxy decodes %2F; the project is searched for and used by its id",
  ),
  row(
    "404 Project Not Found",
    ["PROJECT_NOT_FOUND", "hidden_or_missing"],
    "missing, hidden, in a group that admits only some networks, moved (up to 16.3): GitLab answers the same on purpose, so all are named",
  ),
  row("301 to /projects/ID", ["PROJECT_NOT_FOUND", "moved"], "the target of the redirect (16.7 and later)"),
  row(
    "405 Non GET methods are not allowed for moved projects",
    ["PROJECT_NOT_FOUND", "moved"],
    "GitLab's words",
  ),
  row(
    "webhooks or deploy keys are 403 Forbidden",
    ["INSUFFICIENT_ROLE", ""],
    "project.role names the role that is there and the one that is needed",
  ),
  row(
    "422 Invalid url given for a webhook",
    ["HOOK_URL_REFUSED", ""],
    "GitLab swallows the reason: private network, allow-list, unusable address, all named with the likeliest first; hook.roundtrip quotes it",
  ),
  row(
    "the webhook is saved and never arrives; its test is 422 URL is blocked",
    ["HOOK_URL_REFUSED", ""],
    "hook.roundtrip (--probe) quotes GitLab",
  ),
  row(
    "the test is 422 … not on the Allow List are denied",
    ["HOOK_URL_REFUSED", ""],
    "hook.roundtrip quotes GitLab; admin.settings shows the rule to an administrator's token",
  ),
  row(
    "the test is 422 Failed to open TCP connection, execution expired",
    ["HOOK_UNREACHABLE", ""],
    "hook.roundtrip quotes GitLab",
  ),
  row(
    "the test is 422 certificate verify failed",
    ["HOOK_UNREACHABLE", ""],
    "hook.roundtrip quotes GitLab; the step about certificates",
  ),
  row(
    "the test is 422 with Fairlead's own answer",
    ["HOOK_UNREACHABLE", ""],
    "hook.roundtrip shows the answer; calls with a wrong secret are counted by hook.deliveries",
  ),
  row(
    "Maximum number of project hooks exceeded",
    ["HOOK_LIMIT_REACHED", ""],
    "GitLab's words, in all their envelopes",
  ),
  row("a webhook stopped after failures", ["HOOK_DISABLED", ""], "hook.present: alert_status"),
  row(
    "some pushes make no call",
    null,
    "no error: more than three refs in one push, a branch filter (hook.present), tags: GitLab keeps no trace of it, so nothing fails; hook.gap finds the commits and they are deployed",
  ),
  row(
    "no webhook of the whole GitLab is sent",
    ["HOOKS_SILENCED", ""],
    "hook.roundtrip: Silent mode enabled; admin.settings",
  ),
  row("the test is 429", ["RATE_LIMITED", ""], "wait a minute"),
  row(
    "a push of project 15, gitlab/gitlab, arrives",
    null,
    "no error: GitLab's sample for empty repositories; ignored with that reason",
  ),
  row(
    "calls arrive without a secret after the address was edited",
    ["UNAUTHORIZED", "bad_secret"],
    "hook.deliveries counts them; doctor --fix sends address and secret together",
  ),
  row(
    "the deploy key has already been taken",
    ["DEPLOY_KEY_TAKEN", ""],
    "GitLab's words; code is fetched over HTTPS all the same",
  ),
  row("the deploy key's type is forbidden", ["DEPLOY_KEY_FORBIDDEN", ""], "GitLab's words"),
  row(
    "git by deploy key: the project could not be found",
    ["GIT_NOT_FOUND", ""],
    "the key is not enabled, or whoever made it left: doctor --fix makes it again",
  ),
  row(
    "this deploy key does not have write access",
    null,
    "no error: Fairlead's keys only read, and it never pushes with one",
  ),
  row(
    "Permission denied (publickey)",
    ["GIT_AUTH_FAILED", ""],
    "not of GitLab's words, so all three are named: another host or port, a key that is not known, a broken look-up of keys; check --project --ssh shows host, port and host keys; code is fetched over HTTPS",
  ),
  row(
    "git over HTTPS: HTTP Basic: Access denied, the API accepts the token",
    ["GIT_AUTH_FAILED", ""],
    "git.read fails while token.alive is fine: a proxy that drops the sign-in, a token of another project, a locked user; all named",
  ),
  row(
    "git: You are not allowed to download code.",
    ["GIT_SCOPE_MISSING", ""],
    "the words without “from this project”",
  ),
  row("git: You are not allowed to upload code.", ["GIT_SCOPE_MISSING", ""], "the same for pushing"),
  row(
    "git: … download code from this project.",
    ["GIT_ROLE_MISSING", ""],
    "the words with “from this project”: the role is Guest",
  ),
  row("git: Git access over HTTP is not allowed", ["GIT_PROTOCOL_DISABLED", ""], "GitLab's words"),
  row("git: can't push code to an archived project", ["PROJECT_ARCHIVED", ""], "project.visible"),
  row(
    "git: not allowed to push code to protected branches",
    ["INSUFFICIENT_ROLE", ""],
    "project.role warns about the branch",
  ),
  row("a new project: namespace is not valid", ["NAMESPACE_FORBIDDEN", ""], "GitLab's words"),
  row("a new project: reached your limit", ["PROJECT_LIMIT_REACHED", ""], "the refusal is a list"),
  row(
    "a new project: has already been taken",
    ["NAME_TAKEN", ""],
    "GitLab's words; also for a project that waits for its deletion",
  ),
  row("a new project: visibility has been restricted", ["VISIBILITY_RESTRICTED", ""], "GitLab's words"),
  row(
    "an import by URL: bare 403 Forbidden",
    ["IMPORT_DISABLED", ""],
    "creating a project has no other bare 403",
  ),
  row("an import: unable to access repository", ["IMPORT_UNREACHABLE", ""], "GitLab's words"),
  row("an import: requests to the local network are not allowed", ["IMPORT_BLOCKED", ""], "GitLab's words"),
  row(
    "an import: user is not allowed to import projects",
    ["IMPORT_FORBIDDEN", ""],
    "GitLab's words (15.10.5 and later)",
  ),
  row("an import succeeds and the project is empty", ["IMPORT_FAILED", ""], "import_status"),
  row("a status: Cannot transition status via …", null, "no error: the commit has that status already"),
  row("a status: 404 References for commit", ["GIT_FAILED", "commit_missing"], "the branch was rewritten"),
  row(
    "a status: 403 Forbidden",
    ["INSUFFICIENT_ROLE", ""],
    "a role below Developer, CI/CD switched off, archived, a protected branch: project.role and project.visible tell three of them apart; CI/CD cannot be, and is named",
  ),
  row("429 Retry later", ["RATE_LIMITED", ""], "waits as GitLab says"),
  row("429 requested too many times", ["RATE_LIMITED", ""], "waits"),
  row("writing is 503 with a message", ["GITLAB_UNAVAILABLE", "maintenance"], "503 with JSON for a write"),
  row(
    "writing is 301 to a web page",
    ["GITLAB_UNAVAILABLE", "maintenance"],
    "does not occur: every write is declared as JSON, and then it is 503",
  ),
  row(
    "cannot perform write operations on a read-only instance",
    ["GITLAB_UNAVAILABLE", "read_only"],
    "GitLab's words",
  ),
  row(
    "creating answers with a list",
    ["REDIRECTED", "to_https"],
    "does not occur: the redirect before it is not followed, and http.redirect names the right address",
  ),
  row("200, but a web page", ["NOT_GITLAB", "html"], "a sign-in page is NOT_GITLAB · sso, by its title"),
  row("502, GitLab is not responding", ["GITLAB_UNAVAILABLE", "bad_gateway"], "502, 503, 504 without JSON"),
  row(
    "an administrator's token is 403 on the settings",
    null,
    "no error: Admin Mode; admin.settings says so, and nothing needs them",
  ),
  row(
    "405 Keyset pagination is not yet available",
    null,
    "does not occur: lists are read in the way that each offers",
  ),
  row("lists without totals", null, "no error: totals are never relied on"),
  row(
    "404 Commit Not Found on a good path",
    ["REPOSITORY_EMPTY", ""],
    "project.visible says that there is no commit yet",
  ),
  row("404 Repository Not Found", ["REPOSITORY_DISABLED", ""], "project.visible"),
  row(
    "403 Forbidden for everything, from one machine",
    ["INSUFFICIENT_ROLE", ""],
    "refused on the user's own page too: the cause is then the limit of IP addresses per user",
  ),
  row(
    "400 No parameters provided",
    ["BAD_REQUEST", "invalid"],
    "does not occur: a webhook is always sent whole",
  ),
];

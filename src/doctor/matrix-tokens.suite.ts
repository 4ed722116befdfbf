import type { UserCondition } from "../sandbox/people.ts";
import { MISSING_API, type Situation } from "./matrix-situation.suite.ts";

const scoped = (since: string | undefined, expected: string, ...scopes: readonly string[]): Situation => ({
  name: `a token with ${scopes.join(" and ")}`,
  ...(since === undefined ? {} : { since }),
  expected,
  prepare: (scene) => scene.tokenWith({ scopes }),
});

export const TOKENS: readonly Situation[] = [
  scoped(undefined, "ok", "api"),
  scoped(undefined, "ok", "api", "sudo"),
  scoped("15.8", "ok", "api", "admin_mode"),
  scoped("12.10", MISSING_API, "read_api"),
  scoped(undefined, MISSING_API, "read_user"),
  scoped(undefined, MISSING_API, "read_repository"),
  scoped("11.11", MISSING_API, "write_repository"),
  scoped("12.10", MISSING_API, "read_api", "read_repository", "read_user"),
  scoped(undefined, MISSING_API, "read_user", "sudo"),
  {
    name: "a token nobody knows",
    expected: "AUTH_FAILED unknown_token",
    prepare: () => "glpat-nobodyknowsthisone",
  },
  {
    name: "a token that was cut off",
    expected: "AUTH_FAILED unknown_token",
    prepare: (scene) => scene.tokenWith({}).slice(0, -1),
  },
  { name: "a job token", expected: "AUTH_FAILED unknown_token", prepare: () => "glcbt-64_aaaabbbbccccdddd" },
  {
    name: "a deploy token",
    expected: "AUTH_FAILED unknown_token",
    prepare: () => "gldt-aaaabbbbccccdddd1234",
  },
  {
    name: "an expired token",
    expected: "AUTH_FAILED expired",
    prepare: (scene) => scene.tokenWith({ expiresAt: "2020-01-01" }),
  },
  {
    name: "a revoked token",
    expected: "AUTH_FAILED revoked",
    prepare: (scene) => scene.tokenWith({ revoked: true }),
  },
  {
    name: "a token both expired and revoked",
    expected: "AUTH_FAILED expired",
    prepare: (scene) => scene.tokenWith({ expiresAt: "2020-01-01", revoked: true }),
  },
  {
    name: "a token that never expires",
    expected: "ok",
    prepare: (scene) => scene.tokenWith({ expiresAt: null }),
  },
  {
    name: "an impersonation token",
    expected: "ok",
    prepare: (scene) => scene.tokenWith({ kind: "impersonation" }),
  },
  {
    name: "an impersonation token where they are switched off",
    expected: "AUTH_FAILED impersonation_disabled",
    prepare: (scene) => {
      scene.sandbox.settings.impersonationEnabled = false;
      return scene.tokenWith({ kind: "impersonation" });
    },
  },
  {
    name: "an OAuth token",
    since: "15.5",
    expected: "AUTH_FAILED wrong_kind",
    prepare: (scene) => scene.tokenWith({ kind: "oauth" }),
  },
  {
    name: "tokens switched off for everybody",
    expected: "AUTH_FAILED unknown_token",
    prepare: (scene) => {
      scene.sandbox.settings.personalAccessTokensDisabled = true;
      return scene.token;
    },
  },
  {
    name: "a user who must sign requests",
    since: "17.8",
    expected: "AUTH_FAILED dpop_required",
    prepare: (scene, unique) => {
      const user = scene.sandbox.state.createUser({ username: unique, dpopRequired: true });
      return scene.tokenWith({ user });
    },
  },
];

const account = (condition: UserCondition, reason: string, since: string): Situation => ({
  name: `a user who is ${condition}`,
  since,
  expected: `ACCOUNT_UNUSABLE ${reason}`,
  prepare: (scene, unique) => {
    const user = scene.sandbox.state.createUser({ username: unique, condition });
    return scene.tokenWith({ user });
  },
});

export const ACCOUNTS: readonly Situation[] = [
  account("blocked", "blocked", "10.0"),
  account("ldap_blocked", "blocked", "10.0"),
  account("banned", "blocked", "10.0"),
  account("deactivated", "deactivated", "12.0"),
  account("terms_not_accepted", "terms", "10.8"),
  account("unconfirmed", "email_unconfirmed", "10.8"),
  account("password_expired", "password_expired", "14.0"),
  account("pending_approval", "pending_approval", "13.0"),
];

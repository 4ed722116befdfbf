import { fact, type Entries, type Entry } from "./entry.ts";

type Token = "AUTH_FAILED" | "ACCOUNT_UNUSABLE" | "INSUFFICIENT_SCOPES";

const makeNew: Entry["fix"] = ({ at }) => [
  `Make a new token with the scope api: ${at.tokenPage()}.`,
  "Then give it: fairlead connect URL, or, for a connection that is there already, fairlead reconnect NAME.",
];

function account(
  title: string,
  cause: string,
  ...steps: readonly ((at: Parameters<Entry["fix"]>[0]["at"]) => string)[]
): Entry {
  return { title, cause, fix: ({ at }) => steps.map((step) => step(at)) };
}

export const tokenEntries: Entries<Token> = {
  AUTH_FAILED: {
    unknown_token: {
      title: "GitLab does not know this token",
      cause:
        "The token is mistyped or cut off, was deleted, belongs to another GitLab, this GitLab does not accept personal access tokens at all, or a proxy before it drops the token: it answers the same in each case.",
      fix: ({ at }) => [
        "Copy the whole token again; it is shown only once, when it is made.",
        `Or make a new one with the scope api: ${at.tokenPage()}.`,
        at.hasTokenSwitch
          ? `If that page is missing or empty, an administrator has switched tokens off (“Disable access tokens”) and allows them again at ${at.adminSettings("general", "General", "Account and limit")}.`
          : "If that page is missing or empty, an administrator has switched tokens off, and allows them again by GitLab's settings API (disable_personal_access_tokens).",
        "If the same token works on GitLab's own machine, the proxy before it must let the Authorization header pass.",
      ],
    },
    expired: {
      title: "The token has expired",
      cause: "A token is dead from 00:00 UTC of its expiry date on.",
      fix: makeNew,
    },
    revoked: {
      title: "The token was revoked",
      cause:
        "Somebody revoked the token, it was replaced by a rotation, or an administrator shortened the time that tokens may live.",
      fix: makeNew,
    },
    impersonation_disabled: {
      title: "Impersonation tokens are switched off",
      cause:
        "An administrator made this token for another user, and this GitLab does not accept such tokens any more.",
      fix: ({ at }) => [
        `Sign in as that user and make a personal access token with the scope api: ${at.tokenPage()}.`,
      ],
    },
    dpop_required: {
      title: "This user's tokens need a proof of possession",
      cause:
        "The user (or its group) demands DPoP: every request signed by a key. Fairlead does not sign requests.",
      fix: ({ at }) => [
        "Use the token of another user, best of one made for deployments, or a project or group access token.",
        `Or switch off the demand in the user's settings: ${at.tokenList()}.`,
      ],
    },
    wrong_kind: {
      title: "This kind of token cannot be used",
      cause:
        "This is an OAuth, deploy, job or runner token. Fairlead needs a personal, project or group access token.",
      fix: makeNew,
    },
  },
  ACCOUNT_UNUSABLE: {
    blocked: account(
      "The token's user is blocked",
      "The token is right, but GitLab has blocked its user. Where GitLab asks an LDAP server, a short failure of that server looks the same.",
      (at) => `An administrator unblocks the user: ${at.adminUsers()}.`,
      () => "If the user is not blocked there, wait ten minutes and try again.",
    ),
    deactivated: account(
      "The token's user is deactivated",
      "GitLab deactivates users who have not signed in for long; a user that only has a token is one of them.",
      (at) => `Sign in once as that user: ${at.signIn()}.`,
      (at) => `Or an administrator activates the user: ${at.adminUsers()}.`,
    ),
    terms: account(
      "The token's user has not accepted the terms",
      "This GitLab has terms of service which every user must accept in a browser.",
      (at) => `Sign in as that user and accept them: ${at.signIn()}.`,
    ),
    email_unconfirmed: account(
      "The token's user has not confirmed the e-mail address",
      "GitLab lets a user in only after the primary e-mail address is confirmed.",
      () => "Open the link in GitLab's confirmation mail.",
      (at) => `Or an administrator confirms the user: ${at.adminUsers()}.`,
    ),
    password_expired: account(
      "The password of the token's user has expired",
      "An administrator has set a temporary password, and it was not changed; until then tokens do not work either.",
      (at) => `Sign in as that user and choose a new password: ${at.signIn()}.`,
    ),
    pending_approval: account(
      "The token's user waits for approval",
      "New users of this GitLab must be approved by an administrator.",
      (at) => `An administrator approves the user: ${at.adminUsers()}, tab “Pending approval”.`,
    ),
  },
  INSUFFICIENT_SCOPES: {
    missing_api: {
      title: "The token lacks the scope api",
      cause: ({ evidence }) =>
        `The token is right, but it may not change anything: its scopes are ${fact(evidence, "scopes", "too few")}. Webhooks, deploy keys and commit statuses need api; no smaller scope is enough.`,
      fix: ({ at }) => [
        `Scopes cannot be added to a token: make a new one with the scope api: ${at.tokenPage()}.`,
        "Then give it: fairlead connect URL, or, for a connection that is there already, fairlead reconnect NAME. A project or group access token with api and the role Maintainer reaches less of GitLab and works as well.",
        "Which scopes lack what is told in docs/gitlab-token.md.",
      ],
    },
    missing_permissions: {
      title: "The fine-grained token lacks permissions",
      cause: ({ evidence }) =>
        evidence["lacking"] === undefined
          ? `GitLab says: ${fact(evidence, "words", "a permission is missing")}.`
          : `In ${fact(evidence, "project", "the project")} the token may not do this: ${evidence["lacking"]}.`,
      fix: ({ at }) => [
        "Fairlead needs, for the projects it deploys: project read, repository read and code read, webhook read, create, update and delete, deploy key read, create and delete, commit status create; and personal access token read.",
        `Add them to the token, or make a legacy token with the scope api: ${at.tokenPage()}.`,
      ],
    },
  },
};

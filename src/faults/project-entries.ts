import { fact, type Entries, type Known } from "./entry.ts";

type Project =
  | "PROJECT_NOT_FOUND"
  | "INSUFFICIENT_ROLE"
  | "PROJECT_ARCHIVED"
  | "REPOSITORY_DISABLED"
  | "REPOSITORY_EMPTY"
  | "HOOK_URL_REFUSED"
  | "HOOK_UNREACHABLE"
  | "HOOK_LIMIT_REACHED"
  | "HOOK_DISABLED"
  | "HOOKS_SILENCED"
  | "DEPLOY_KEY_TAKEN"
  | "DEPLOY_KEY_FORBIDDEN";

/** What people are told wherever a webhook is missing. */
export const polling =
  "Until then nothing is lost: Fairlead looks for new commits by itself, only a little later than a webhook would.";

/** GitLab answers every signed-in user these: who is refused there is refused for another reason than a role. */
function isRefusedEverywhere({ pathTemplate }: Known["evidence"]): boolean {
  return pathTemplate === "/user" || pathTemplate === "/version";
}

function roleCause({ evidence }: Known): string {
  if (isRefusedEverywhere(evidence)) {
    return "GitLab knows the token and refuses everything all the same: its user is used from more IP addresses than allowed, or is one that GitLab made for itself.";
  }
  const needs = evidence["needs"] === undefined ? "" : `: this needs ${evidence["needs"]}`;
  const where = evidence["project"] === undefined ? "" : ` in ${evidence["project"]}`;
  const has = evidence["role"] === undefined ? "" : ` (${evidence["role"]})`;
  return `GitLab knows the token and its scope is enough, but its user's role${where}${has} is not${needs}. A project or group access token has a role of its own.`;
}

export const projectEntries: Entries<Project> = {
  PROJECT_NOT_FOUND: {
    hidden_or_missing: {
      title: "There is no such project, or the token may not see it",
      cause:
        "GitLab gives the same answer for a project that does not exist and for one that is hidden: the user is no member, a group admits only some networks, or the project was moved (GitLab up to 16.3) or is about to be deleted.",
      fix: ({ at }) => [
        "Open the project in GitLab and copy its path from the address bar (group/project), or its id.",
        `Make the token's user a member with the role Maintainer: ${at.members()}.`,
        `If the group admits only some IP addresses, add this machine's (${at.instance}, the group > Settings > General > Permissions).`,
      ],
    },
    moved: {
      title: "The project has moved",
      cause: ({ evidence }) =>
        `The project has another path now${evidence["to"] === undefined ? "" : `; GitLab points to ${evidence["to"]}`}.`,
      fix: () => ["Use the new path, or the project's id, which never changes."],
    },
    pending_deletion: {
      title: "The project is about to be deleted",
      cause: "Somebody deleted the project; GitLab keeps it for some days before it is gone.",
      fix: ({ at }) => [`Restore it, if it is still wanted: ${at.projectMenu("General", "Advanced")}.`],
    },
  },
  INSUFFICIENT_ROLE: {
    "": {
      title: "The token's user may not do this",
      cause: roleCause,
      fix: ({ evidence, at }) =>
        isRefusedEverywhere(evidence)
          ? [
              `An administrator looks at the limit of IP addresses per user, which refuses in this way from the moment on at which too many are used: ${at.adminSettings("reporting", "Reporting", "Spam and Anti-bot protection")}.`,
              "If the user is one that GitLab made for itself (ghost, alert-bot …), use a token of another user.",
            ]
          : [
              `Give the user the role ${fact(evidence, "needs", "Maintainer")}: ${at.members()}. For a project or group access token: make a new one with that role.`,
              "If the role is right: archived projects, protected branches and a limit of IP addresses per user are refused in the same way.",
            ],
    },
  },
  PROJECT_ARCHIVED: {
    "": {
      title: "The project is archived",
      cause: "An archived project can only be read: nothing can be pushed, and no status can be written.",
      fix: ({ at }) => [`Unarchive it: ${at.projectMenu("General", "Advanced")}.`],
    },
  },
  REPOSITORY_DISABLED: {
    "": {
      title: "The project's repository is switched off",
      cause:
        "The project has no repository feature, or it is reserved for members that this user is not one of.",
      fix: ({ at }) => [
        `Switch it on: ${at.projectMenu("General", "Visibility, project features, permissions")}, Repository.`,
      ],
    },
  },
  REPOSITORY_EMPTY: {
    "": {
      title: "The repository is empty",
      cause: "There is no commit yet, so there is nothing to deploy.",
      fix: () => ["Push a first commit."],
    },
  },
  HOOK_URL_REFUSED: {
    "": {
      title: "GitLab refuses to call this server",
      cause:
        "GitLab does not say why it refuses the webhook's address. Most likely the address is in a private network, which GitLab does not call by default; else an allow-list does not hold it, or GitLab cannot make sense of it.",
      fix: ({ at }) => [
        `An administrator ticks “${at.localRequestsBox}”, or adds this server's host to the allow-list below it: ${at.outboundRequests()}.`,
        "Check FAIRLEAD_PUBLIC_URL: it must be the address by which GitLab's machine reaches this server.",
        polling,
      ],
    },
  },
  HOOK_UNREACHABLE: {
    "": {
      title: "GitLab cannot reach this server",
      cause: ({ evidence }) =>
        `GitLab could not deliver the webhook${evidence.words === undefined ? "" : `: ${evidence.words}`}.`,
      fix: ({ at }) => [
        "Try on GitLab's machine: curl -sv FAIRLEAD_PUBLIC_URL/healthz, and open the firewall from there.",
        `If GitLab does not trust the certificate, install its authority in /etc/gitlab/trusted-certs on GitLab's machine. Each call's own error stands in the webhook's recent events: ${at.webhooks()}.`,
        polling,
      ],
    },
  },
  HOOK_LIMIT_REACHED: {
    "": {
      title: "The project has as many webhooks as GitLab allows",
      cause: ({ evidence }) => `GitLab says: ${fact(evidence, "words", "the limit of webhooks is reached")}.`,
      fix: ({ at }) => [`Delete webhooks that are not needed any more: ${at.webhooks()}.`, polling],
    },
  },
  HOOK_DISABLED: {
    "": {
      title: "GitLab has switched the webhook off",
      cause: "GitLab stops calling a webhook that failed several times in a row.",
      fix: ({ at }) => [
        `When this server is reachable again, press “Test” at the webhook, which switches it on: ${at.webhooks()}.`,
        polling,
      ],
    },
  },
  HOOKS_SILENCED: {
    "": {
      title: "GitLab sends no webhooks at all",
      cause: "This GitLab is in silent mode: it sends nothing to the outside.",
      fix: ({ at }) => [
        `An administrator ends it: ${at.adminSettings("general", "General", "Silent mode")}.`,
        polling,
      ],
    },
  },
  DEPLOY_KEY_TAKEN: {
    "": {
      title: "GitLab knows this deploy key from elsewhere",
      cause: "The same key belongs to another project or to a user, and a key can be in only one such place.",
      fix: () => ["Link the project again: a new key pair is made each time."],
    },
  },
  DEPLOY_KEY_FORBIDDEN: {
    "": {
      title: "GitLab does not accept this kind of key",
      cause: ({ evidence }) =>
        `The administrators have restricted SSH keys${evidence.words === undefined ? "" : `: ${evidence.words}`}. Fairlead makes ed25519 keys.`,
      fix: ({ at }) => [
        `An administrator allows ED25519 keys: ${at.adminSettings("general", "General", "Visibility and access controls")}.`,
      ],
    },
  },
};

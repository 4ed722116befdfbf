import type { Entries } from "./entry.ts";

type Git =
  | "GIT_AUTH_FAILED"
  | "GIT_SCOPE_MISSING"
  | "GIT_ROLE_MISSING"
  | "GIT_PROTOCOL_DISABLED"
  | "GIT_HOST_KEY_CHANGED"
  | "GIT_NOT_FOUND"
  | "GIT_FAILED";

export const gitEntries: Entries<Git> = {
  GIT_AUTH_FAILED: {
    "": {
      title: "GitLab refused the sign-in of git",
      cause:
        "Over HTTPS: the token has died since the connection was made, its user is blocked, it belongs to another project, or a proxy does not let the sign-in of git through. Over SSH (Permission denied): host or port are another server's, the key is not known there, or GitLab's look-up of keys is broken.",
      fix: ({ at }) => [
        "Ask the API with the same token: fairlead check URL. What it says is the cause.",
        `If the API accepts it and git does not, look at the proxy before ${at.instance}: it must pass the Authorization header of .git/ paths.`,
        `Over SSH compare host, port and host keys with what GitLab names: ${at.instance}/help/instance_configuration, and fairlead check URL --project GROUP/PROJECT --ssh.`,
      ],
    },
  },
  GIT_SCOPE_MISSING: {
    "": {
      title: "The token may not read repositories",
      cause: "The token has no scope that includes reading code (api, read_api or read_repository).",
      fix: ({ at }) => [`Make a new token with the scope api: ${at.tokenPage()}.`],
    },
  },
  GIT_ROLE_MISSING: {
    "": {
      title: "The token's user may not read this repository",
      cause: "The user's role in the project is Guest; reading code needs Reporter.",
      fix: ({ at }) => [`Give the user the role Maintainer, which the webhook needs too: ${at.members()}.`],
    },
  },
  GIT_PROTOCOL_DISABLED: {
    "": {
      title: "This GitLab does not serve git over HTTPS",
      cause: "The administrators (or the group) allow git by SSH only.",
      fix: ({ at }) => [
        `An administrator allows both: ${at.adminSettings("general", "General", "Visibility and access controls")}, Enabled Git access protocols.`,
      ],
    },
  },
  GIT_HOST_KEY_CHANGED: {
    "": {
      title: "GitLab's SSH host key has changed",
      cause: ({ evidence }) =>
        `The server shows another key than before or than expected${evidence["seen"] === undefined ? "" : ` (${evidence["seen"]})`}: it was reinstalled, or somebody stands in between.`,
      fix: ({ at }) => [
        `Compare it with the fingerprints that GitLab names itself: ${at.instance}/help/instance_configuration, or ask its administrator.`,
        "Trust the new key only after that.",
      ],
    },
  },
  GIT_NOT_FOUND: {
    "": {
      title: "GitLab has no such repository, or hides it",
      cause: "The project was moved, deleted or hidden from the token's user, or has no repository yet.",
      fix: () => [
        "Open the project in GitLab as the token's user.",
        "If it was moved or deleted: fairlead unlink APP, then link the new one.",
      ],
    },
  },
  GIT_FAILED: {
    "": {
      title: "Git failed",
      cause: "The git program ended with an error; its last words are below.",
      fix: () => ["Read git's words below. Then deploy again: fairlead deploy APP."],
    },
    commit_missing: {
      title: "The commit does not exist any more",
      cause: "The branch was rewritten after the push, and GitLab no longer has this commit.",
      fix: () => ["Deploy the branch as it is now: fairlead deploy APP."],
    },
    timeout: {
      title: "Git took too long",
      cause:
        "Fetching did not end before the deadline: a very large repository, a slow network, or a GitLab that is busy.",
      fix: () => [
        "Deploy again: what was fetched is kept where git allows it.",
        "Check the network between this machine and GitLab.",
      ],
    },
  },
};

import type { Entries } from "./entry.ts";

type Own =
  | "BAD_REQUEST"
  | "UNAUTHORIZED"
  | "NOT_FOUND"
  | "CONFLICT"
  | "TOO_LARGE"
  | "CONFIG_INVALID"
  | "DATABASE_UNAVAILABLE"
  | "KEY_UNUSABLE"
  | "BACKUP_INVALID"
  | "SERVER_UNREACHABLE"
  | "INTERNAL";

export const ownEntries: Entries<Own> = {
  BAD_REQUEST: {
    "": {
      title: "The request cannot be understood",
      cause: "Something in the request is missing or not of the expected form.",
      fix: () => [
        "Compare it with the API's description at /api/openapi.json, or with the command's --help.",
      ],
    },
    malformed_json: {
      title: "The body is not JSON",
      cause: "The request's body could not be read as JSON.",
      fix: () => ["Send valid JSON in UTF-8, with content-type: application/json."],
    },
    invalid: {
      title: "A value is not valid",
      cause: "A value has not the form it must have, or GitLab refused it; the evidence names it.",
      fix: () => ["Correct the value that the evidence names."],
    },
    unsupported: {
      title: "This GitLab cannot do that",
      cause: "What was asked for needs a newer GitLab than this one; nothing was changed.",
      fix: ({ at }) => [
        `To replace a token, make a new one (${at.tokenPage()}) and give it with: fairlead reconnect NAME.`,
        "Or ask the administrator for an upgrade of GitLab.",
      ],
    },
  },
  UNAUTHORIZED: {
    "": {
      title: "Fairlead's own token is missing or wrong",
      cause:
        "The API answers only to requests with a valid API token of this server, which is another one than GitLab's.",
      fix: () => [
        "The server writes the token to the file api-token in its data folder at its first start. Let the command read it: FAIRLEAD_API_TOKEN_FILE.",
        "Send it as: Authorization: Bearer TOKEN.",
      ],
    },
    bad_secret: {
      title: "The webhook's secret is wrong",
      cause:
        "A call to the webhook address did not carry the right secret or signature. It was counted and nothing else.",
      fix: ({ at }) => [
        `If it came from your GitLab, its webhook was changed by hand: ${at.webhooks()}. Unlink and link the app to set it right.`,
        "If signatures are refused as too old, compare the clocks of GitLab's machine and this one.",
      ],
    },
  },
  NOT_FOUND: {
    "": {
      title: "There is nothing of this name",
      cause: "The name or id does not exist, or not any more.",
      fix: () => ["List what there is: fairlead apps, fairlead connections, fairlead deployments APP."],
    },
  },
  CONFLICT: {
    "": {
      title: "This does not fit the present state",
      cause: "Something else is going on with the same thing, or it is in that state already.",
      fix: () => ["Look at the present state and try again."],
    },
    name_taken: {
      title: "The name is taken",
      cause: "Names are used once.",
      fix: () => ["Choose another name with --name."],
    },
    in_use: {
      title: "It is still in use",
      cause: "Something else depends on it.",
      fix: () => [
        "Remove what depends on it first: fairlead apps shows it, fairlead unlink APP removes an app.",
      ],
    },
  },
  TOO_LARGE: {
    "": {
      title: "It is too large",
      cause: "What was sent, or what GitLab answered, is larger than is read.",
      fix: () => ["Send less. Webhooks are read up to 26 MB, other requests up to 1 MB."],
    },
  },
  CONFIG_INVALID: {
    "": {
      title: "The configuration cannot be used",
      cause: "Fairlead does not start with a value that it does not understand.",
      fix: () => ["Correct the variables named above; docs/configuration.md describes each."],
    },
  },
  DATABASE_UNAVAILABLE: {
    "": {
      title: "The database cannot be used",
      cause: "PostgreSQL does not answer, or refuses what it is asked.",
      fix: () => [
        "With DATABASE_URL: check that server, its address and its password.",
        "With the embedded database: check free space and owner of the data folder, and read PostgreSQL's log there.",
      ],
    },
    in_use: {
      title: "Another Fairlead uses this data folder",
      cause: "A data folder belongs to one running Fairlead.",
      fix: () => ["Stop the other one, or give this one a folder of its own: FAIRLEAD_DATA_DIR."],
    },
    wrong_version: {
      title: "The database is of another PostgreSQL version",
      cause:
        "The embedded database was made by another major version of PostgreSQL than the one that comes with this Fairlead.",
      fix: () => [
        "Make a backup with the Fairlead that made it (fairlead backup FILE), then restore it here (fairlead restore FILE).",
      ],
    },
    newer_schema: {
      title: "The database was used by a newer Fairlead",
      cause: "Its tables are of a later version than this Fairlead knows; going back is not possible.",
      fix: () => ["Start the newer Fairlead, or restore a backup from before the upgrade."],
    },
  },
  KEY_UNUSABLE: {
    missing: {
      title: "The encryption key is missing",
      cause:
        "The stored tokens are encrypted with a key that is not where it should be. Without it they cannot be read, and no new key is made while they exist.",
      fix: () => [
        "Put the key file back where it was (FAIRLEAD_KEY_FILE, by default secret.key in the data folder), from your copy.",
      ],
    },
    wrong: {
      title: "The encryption key is the wrong one",
      cause: "The stored tokens were encrypted with another key than this.",
      fix: () => [
        "Put the right key file in its place. If it is lost, connect and link again: the tokens cannot be read by anybody.",
      ],
    },
    permissions: {
      title: "The encryption key can be read by others",
      cause: "The key file must be readable by Fairlead's user alone.",
      fix: () => ["chmod 600 the key file, and let it belong to the user that Fairlead runs as."],
    },
  },
  BACKUP_INVALID: {
    "": {
      title: "This is not a usable backup",
      cause: "The file is not a backup of Fairlead, is damaged, or was made by a newer version.",
      fix: () => ["Use another backup, or the Fairlead that made this one."],
    },
  },
  SERVER_UNREACHABLE: {
    "": {
      title: "The Fairlead server does not answer",
      cause: "This command talks to a running Fairlead, and none answers at its address.",
      fix: () => ["Start it: fairlead serve.", "If it runs elsewhere, say where: FAIRLEAD_URL."],
    },
  },
  INTERNAL: {
    "": {
      title: "Fairlead made a mistake",
      cause: "Something happened that Fairlead does not expect. What it was is in the server's log.",
      fix: () => [
        "Try again. If it happens again, report it with the lines of the log that have the same request id.",
      ],
    },
  },
};

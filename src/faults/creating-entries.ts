import { fact, type Entries } from "./entry.ts";

type Creating =
  | "IMPORT_DISABLED"
  | "IMPORT_UNREACHABLE"
  | "IMPORT_BLOCKED"
  | "IMPORT_FORBIDDEN"
  | "IMPORT_FAILED"
  | "NAME_TAKEN"
  | "NAME_INVALID"
  | "NAMESPACE_FORBIDDEN"
  | "PROJECT_LIMIT_REACHED"
  | "VISIBILITY_RESTRICTED";

export const creatingEntries: Entries<Creating> = {
  IMPORT_DISABLED: {
    "": {
      title: "This GitLab does not import repositories by URL",
      cause: "The import source “Repository by URL” is switched off, which is the default since GitLab 16.0.",
      fix: ({ at }) => [
        `An administrator ticks “Repository by URL” among the import sources: ${at.importSettings()}.`,
      ],
    },
  },
  IMPORT_UNREACHABLE: {
    "": {
      title: "GitLab cannot reach the repository to import",
      cause:
        "GitLab's machine could not read the repository at that URL: it is not reachable from there, is no git repository, or needs a sign-in.",
      fix: () => ["Try on GitLab's machine: git ls-remote URL.", "Check the URL and its credentials."],
    },
  },
  IMPORT_BLOCKED: {
    "": {
      title: "GitLab may not call the repository to import",
      cause: "The repository is in a network that GitLab does not call by default.",
      fix: ({ at }) => [`An administrator adds its host to the allow-list: ${at.outboundRequests()}.`],
    },
  },
  IMPORT_FORBIDDEN: {
    "": {
      title: "The token's user may not import projects here",
      cause: "Importing into a group needs the role Maintainer (since GitLab 15.10.5).",
      fix: () => ["Give the user the role Maintainer in the group, or choose another namespace."],
    },
  },
  IMPORT_FAILED: {
    "": {
      title: "The import failed",
      cause: ({ evidence }) =>
        `GitLab began the import and gave up${evidence.words === undefined ? "" : `: ${evidence.words}`}.`,
      fix: () => [
        "Open the new project in GitLab: its page shows the error.",
        "Delete it there and try again.",
      ],
    },
  },
  NAME_TAKEN: {
    "": {
      title: "There is a project of this name already",
      cause: "The namespace has a project with this name or path, perhaps one that waits for its deletion.",
      fix: () => ["Choose another name."],
    },
  },
  NAME_INVALID: {
    "": {
      title: "GitLab does not accept this name",
      cause: ({ evidence }) =>
        `GitLab says: ${fact(evidence, "words", "the name holds characters that are not allowed")}.`,
      fix: () => ["Use letters, digits, dashes, dots and underscores, and begin with a letter or digit."],
    },
  },
  NAMESPACE_FORBIDDEN: {
    "": {
      title: "No project can be made in this namespace",
      cause: "The namespace does not exist, or the token's user may not make projects in it.",
      fix: () => [
        "Choose a group in which the user may create projects, or the user's own namespace.",
        "An owner of the group allows it: the group > Settings > General > Permissions and group features > Roles allowed to create projects.",
      ],
    },
  },
  PROJECT_LIMIT_REACHED: {
    "": {
      title: "The token's user may not have more projects",
      cause: "GitLab limits how many projects a user may have in the own namespace.",
      fix: ({ at }) => [
        "Make the project in a group.",
        `Or an administrator raises the user's limit: ${at.adminUsers()}.`,
      ],
    },
  },
  VISIBILITY_RESTRICTED: {
    "": {
      title: "This visibility is not allowed",
      cause: "The administrators or the group do not allow projects of this visibility.",
      fix: ({ at }) => [
        "Choose private.",
        `Or an administrator allows it: ${at.adminSettings("general", "General", "Visibility and access controls")}.`,
      ],
    },
  },
};

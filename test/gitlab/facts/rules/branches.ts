import { answers, as, given, path, query, scopes, send, some } from "../steps.ts";
import type { Endpoints, Step } from "../situation.ts";

const PATH = "/projects/:id/repository/branches";

function branch(name: string): Step {
  return async ({ api, project }) => {
    await api("POST", `/projects/${project.id}/repository/branches`, { branch: name, ref: "main" });
  };
}

export const branches: Endpoints = {
  [`GET ${PATH}`]: {
    base: [branch("feature"), branch("topic")],
    rules: [
      [/offset pagination/, query({ page: 1, per_page: 2 }), some],
      [/gitaly pagination/, query({ pagination: "keyset", per_page: 2 }), some],
      [/regex is invalid/, query({ regex: "*" })],
      [/ai_workflows scope/, scopes("ai_workflows"), some],
    ],
  },
  [`GET ${PATH}/:branch`]: {
    base: [path({ branch: "main" })],
    rules: [
      [/HEAD request/, given((situation) => void (situation.head = true))],
      [/returns 404/, path({ branch: "unknown" })],
      [/returns the repository branch/, answers({ name: "main", default: true })],
    ],
  },
  [`POST ${PATH}`]: {
    base: [as("developer"), send({ branch: "feature1", ref: "main" })],
    rules: [
      [/creates a new branch/, answers({ name: "feature1" })],
      [/name is invalid/, send({ branch: "new design" })],
      [/already exists$/, branch("feature1")],
      [/ref name is invalid/, send({ ref: "foo" })],
      [/ai_workflows scope/, scopes("ai_workflows")],
    ],
  },
  [`DELETE ${PATH}/:branch`]: {
    base: [path({ branch: "feature" }), branch("feature")],
    rules: [
      [/^DELETE \S+ > removes branch/, given(() => {})],
      [/dots in the branch name/, path({ branch: "with.1.2.3" }), branch("with.1.2.3")],
      [/not exists/, path({ branch: "foobar" })],
    ],
  },
  "DELETE /projects/:id/repository/merged_branches": {
    base: [as("maintainer")],
    rules: [
      [/returns 202/, given(() => {})],
      [/project is public/, given(({ project }) => void (project.visibility = "public")), as("stranger")],
    ],
  },
  [`PUT ${PATH}/:branch/protect`]: {
    base: [as("maintainer"), path({ branch: "feature" }), branch("feature")],
    rules: [
      [/protects a single branch$/, answers({ protected: true })],
      [/developers can push/, send({ developers_can_push: true })],
      [/can merge|and merge/, send({ developers_can_merge: true })],
      [
        /already exists/,
        path({ branch: "main" }),
        send({ developers_can_push: false, developers_can_merge: false }),
      ],
    ],
  },
  [`PUT ${PATH}/:branch/unprotect`]: {
    base: [as("maintainer"), path({ branch: "main" })],
    rules: [
      [/unprotects a single branch/, answers({ protected: false })],
      [/not protected/, path({ branch: "feature" }), branch("feature"), answers({ protected: false })],
    ],
  },
};

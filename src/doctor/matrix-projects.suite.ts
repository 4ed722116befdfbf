import type { Scene } from "../sandbox/scene.suite.ts";
import { MISSING_API, ROLE, type Situation } from "./matrix-situation.suite.ts";

const member = (level: number): Situation => ({
  name: `the level ${level} in the project`,
  expected: level < 40 ? ROLE : "ok",
  project: "acme/shop",
  prepare: (scene, unique) => {
    const user = scene.sandbox.state.createUser({ username: unique });
    scene.sandbox.state.addMember(scene.project, user, level);
    return scene.tokenWith({ user });
  },
});

const inProject = (name: string, expected: string, change: (scene: Scene) => void): Situation => ({
  name,
  expected,
  project: "acme/shop",
  prepare: (scene) => {
    change(scene);
    return scene.token;
  },
});

export const PROJECTS: readonly Situation[] = [
  inProject("a sound project", "ok", () => {}),
  ...[10, 20, 30, 40].map(member),
  {
    name: "no member of the project",
    expected: "PROJECT_NOT_FOUND hidden_or_missing",
    project: "acme/shop",
    prepare: (scene, unique) =>
      scene.tokenWith({ user: scene.sandbox.state.createUser({ username: unique }) }),
  },
  {
    name: "no such project",
    expected: "PROJECT_NOT_FOUND hidden_or_missing",
    project: "acme/none",
    prepare: (scene) => scene.token,
  },
  inProject("an archived project", "PROJECT_ARCHIVED", ({ project }) => (project.archived = true)),
  inProject(
    "a project without repository",
    "REPOSITORY_DISABLED",
    ({ project }) => (project.repositoryEnabled = false),
  ),
  inProject(
    "a group for other networks only",
    "PROJECT_NOT_FOUND hidden_or_missing",
    ({ sandbox, project }) => {
      sandbox.faults.ipRestrictedGroups = [project.namespaceId];
    },
  ),
  inProject("git by SSH only", "GIT_PROTOCOL_DISABLED", ({ sandbox }) => {
    sandbox.settings.enabledGitAccessProtocol = "ssh";
  }),
  inProject("Gitaly away", "GITLAB_UNAVAILABLE error", ({ sandbox }) => {
    sandbox.faults.git.gitalyDown = true;
  }),
  inProject("a proxy that decodes %2F", "ok", ({ sandbox }) => {
    sandbox.faults.decodesSlashes = true;
  }),
  {
    name: "a token of the project itself",
    since: "13.0",
    expected: "ok",
    project: "acme/shop",
    prepare: ({ sandbox, project }) =>
      sandbox.state.createResourceToken({ resource: { type: "project", id: project.id } }).value,
  },
  {
    name: "a Developer's token of the project",
    since: "13.0",
    expected: ROLE,
    project: "acme/shop",
    prepare: ({ sandbox, project }) =>
      sandbox.state.createResourceToken({ resource: { type: "project", id: project.id }, accessLevel: 30 })
        .value,
  },
  {
    name: "a token of the group",
    since: "14.7",
    expected: "ok",
    project: "acme/shop",
    prepare: ({ sandbox, project }) =>
      sandbox.state.createResourceToken({ resource: { type: "group", id: project.namespaceId } }).value,
  },
  {
    name: "a token of the project that only reads",
    since: "13.0",
    expected: MISSING_API,
    project: "acme/shop",
    prepare: ({ sandbox, project }) =>
      sandbox.state.createResourceToken({
        resource: { type: "project", id: project.id },
        scopes: ["read_api"],
      }).value,
  },
];

const NEEDED = [
  "read_project",
  "read_branch",
  "read_commit",
  "download_code",
  "read_webhook",
  "create_webhook",
  "update_webhook",
  "read_deploy_key",
  "create_deploy_key",
  "create_commit_status",
];

const granular = (
  name: string,
  expected: string,
  without: readonly string[],
  user: readonly string[],
): Situation => ({
  name,
  since: "18.10",
  expected,
  project: "acme/shop",
  prepare: (scene) => {
    const place = { access: "selected_memberships", projectId: scene.project.id, groupId: null } as const;
    return scene.tokenWith({
      granularScopes: [
        { ...place, permissions: NEEDED.filter((permission) => !without.includes(permission)) },
        { access: "user", projectId: null, groupId: null, permissions: user },
        { access: "instance", projectId: null, groupId: null, permissions: ["read_instance_metadata"] },
      ],
    });
  },
});

export const GRANULAR: readonly Situation[] = [
  {
    ...granular("a fine-grained token, by itself", "ok", [], ["read_user", "read_personal_access_token"]),
    project: undefined,
  },
  granular(
    "a fine-grained token without the right to webhooks",
    "INSUFFICIENT_SCOPES missing_permissions",
    ["create_webhook"],
    ["read_user", "read_personal_access_token"],
  ),
  granular(
    "a fine-grained token without the right to statuses",
    "INSUFFICIENT_SCOPES missing_permissions",
    ["create_commit_status"],
    ["read_user", "read_personal_access_token"],
  ),
  granular(
    "a fine-grained token that may not read itself",
    "INSUFFICIENT_SCOPES missing_permissions",
    [],
    ["read_user"],
  ),
  granular(
    "a fine-grained token that may not see the project",
    "INSUFFICIENT_SCOPES missing_permissions",
    ["read_project"],
    ["read_user", "read_personal_access_token"],
  ),
];

import type { Project } from "../state.ts";
import { projectPart, type PayloadBox } from "./project-part.ts";

/** What GitLab sends as a test from an empty repository: a push of a project that is not the hook's. Receivers must not act on it. */
export function samplePush(trigger: "push_events" | "tag_push_events"): Record<string, unknown> {
  const kind = trigger === "push_events" ? "push" : "tag_push";
  const ref = trigger === "push_events" ? "refs/heads/master" : "refs/tags/v1.0.0";
  return { object_kind: kind, event_name: kind, ref, ...SAMPLE };
}

const after = "da1560886d4f094c3e6c9ef40349f7d38b5d27d7";
const url = "http://test.example.com/gitlab/gitlab";
const ssh = "git@test.example.com:gitlab/gitlab.git";
const SAMPLE = {
  before: "95790bf891e76fee5e1747ab589903a6a1f80f22",
  after,
  ref_protected: false,
  checkout_sha: after,
  message: "Hello World",
  user_id: 4,
  user_name: "John Smith",
  user_username: "jsmith",
  user_email: "john@example.com",
  user_avatar: "https://s.gravatar.com/avatar/d4c74594d841139328695756648b6bd6?s=80",
  project_id: 15,
  project: {
    id: 15,
    name: "gitlab",
    description: "",
    web_url: url,
    avatar_url: "https://s.gravatar.com/avatar/d4c74594d841139328695756648b6bd6?s=80",
    git_ssh_url: ssh,
    git_http_url: `${url}.git`,
    namespace: "gitlab",
    visibility_level: 0,
    path_with_namespace: "gitlab/gitlab",
    default_branch: "master",
    ci_config_path: null,
    homepage: url,
    url: ssh,
    ssh_url: ssh,
    http_url: `${url}.git`,
  },
  commits: [
    {
      id: "c5feabde2d8cd023215af4d2ceeb7a64839fc428",
      message: "Add simple search to projects in public area\n\ncommit message body",
      title: "Add simple search to projects in public area",
      timestamp: "2013-05-13T18:18:08+00:00",
      url: `${url}/-/commit/c5feabde2d8cd023215af4d2ceeb7a64839fc428`,
      author: { name: "Test User", email: "test@example.com" },
      added: [],
      modified: [],
      removed: [],
    },
  ],
  total_commits_count: 1,
  push_options: { ci: { skip: true } },
  repository: {
    name: "gitlab",
    url: ssh,
    description: "",
    homepage: url,
    git_http_url: `${url}.git`,
    git_ssh_url: ssh,
    visibility_level: 0,
  },
};

/** What GitLab sends as a test of the events of access tokens. */
export function sampleTokenEvent(box: PayloadBox, project: Project): Record<string, unknown> {
  return {
    object_kind: "access_token",
    project: projectPart(box, project),
    object_attributes: {
      user_id: 90,
      created_at: "2024-01-24 16:27:40 UTC",
      id: 25,
      name: "acd",
      expires_at: "2024-01-26",
    },
    event_name: "expiring_access_token",
  };
}

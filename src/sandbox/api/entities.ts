import { canCreateGroups } from "../access.ts";
import type { Box } from "../box.ts";
import type { Commit } from "../git/read.ts";
import type { Project, User, UserCondition } from "../state.ts";
import { commitUrl, userUrl } from "../urls.ts";

/** The states of GitLab's own machine; terms, e-mail and password do not show. */
const STATES: Readonly<Partial<Record<UserCondition, string>>> = {
  pending_approval: "blocked_pending_approval",
  deactivated: "deactivated",
  blocked: "blocked",
  ldap_blocked: "ldap_blocked",
  banned: "banned",
};

/** GitLab's `UserBasic`. */
export function userBasic(box: Box, user: User): Record<string, unknown> {
  return {
    id: user.id,
    username: user.username,
    public_email: "",
    name: user.name,
    state: STATES[user.condition] ?? "active",
    locked: false,
    avatar_url: null,
    web_url: userUrl(box, user),
  };
}

/** GitLab's `UserPublic`; administrators see more of themselves. */
export function userPublic(box: Box, user: User): Record<string, unknown> {
  return {
    ...userBasic(box, user),
    created_at: user.createdAt,
    bio: "",
    location: "",
    linkedin: "",
    twitter: "",
    discord: "",
    website_url: "",
    github: "",
    job_title: "",
    pronouns: null,
    organization: "",
    bot: user.bot,
    work_information: null,
    local_time: null,
    last_sign_in_at: null,
    confirmed_at: user.createdAt,
    last_activity_on: user.createdAt.slice(0, 10),
    email: user.email,
    theme_id: 3,
    color_scheme_id: 1,
    projects_limit: user.projectsLimit,
    current_sign_in_at: null,
    identities: [],
    can_create_group: canCreateGroups(box.state, user),
    can_create_project: user.projectsLimit > 0,
    two_factor_enabled: false,
    external: false,
    private_profile: false,
    commit_email: user.email,
    ...(user.admin ? { is_admin: true, note: null, namespace_id: user.namespaceId, created_by: null } : {}),
  };
}

/** GitLab's `Commit`, as it stands inside a branch or a list. */
export function commitEntity(box: Box, project: Project, commit: Commit): Record<string, unknown> {
  const trailers = Object.groupBy(commit.trailers, ([key]) => key);
  return {
    id: commit.id,
    short_id: commit.id.slice(0, 8),
    created_at: commit.committedDate,
    parent_ids: commit.parentIds,
    title: commit.title,
    message: commit.message,
    author_name: commit.authorName,
    author_email: commit.authorEmail,
    authored_date: commit.authoredDate,
    committer_name: commit.committerName,
    committer_email: commit.committerEmail,
    committed_date: commit.committedDate,
    trailers: Object.fromEntries(commit.trailers),
    extended_trailers: Object.fromEntries(
      Object.entries(trailers).map(([key, pairs]) => [key, pairs?.map(([, value]) => value) ?? []]),
    ),
    web_url: commitUrl(box, project, commit.id),
  };
}

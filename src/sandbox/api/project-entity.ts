import { canReadCode, directLevel, LEVEL, levelIn, recordedGroupLevel } from "../access.ts";
import type { Box } from "../box.ts";
import type { Project, User } from "../state.ts";
import { httpUrl, sshUrl, userUrl, webUrl } from "../urls.ts";
import { importFields } from "./import-entity.ts";
import { findNamespaceOwner, fullName, namespaceBasic } from "./namespace-entity.ts";

/** GitLab's `ProjectIdentity`. */
export function projectIdentity(box: Box, project: Project): Record<string, unknown> {
  return {
    id: project.id,
    description: project.description,
    name: project.name,
    name_with_namespace: `${namespaceName(box, project)} / ${project.name}`,
    path: project.path,
    path_with_namespace: project.fullPath,
    created_at: project.createdAt,
  };
}

/** GitLab's `BasicProjectDetails`: what `simple=true` and people without an account get. */
export function projectBasics(box: Box, project: Project, reader: User | null): Record<string, unknown> {
  return {
    ...commonFields(box, project, reader),
    ...(box.version.has("visibilityOfSimpleProjects") ? { visibility: project.visibility } : {}),
  };
}

function commonFields(box: Box, project: Project, reader: User | null): Record<string, unknown> {
  return {
    ...projectIdentity(box, project),
    ...(canReadCode(box.state, reader, project) ? { default_branch: defaultBranch(box, project) } : {}),
    tag_list: project.topics,
    ...(box.version.has("projectTopics") ? { topics: project.topics } : {}),
    ssh_url_to_repo: sshUrl(box, project),
    http_url_to_repo: httpUrl(box, project),
    web_url: webUrl(box, project),
    readme_url: null,
    forks_count: project.forksCount,
    avatar_url: null,
    star_count: 0,
    last_activity_at: project.lastActivityAt,
    namespace: namespacePart(box, project),
  };
}

/** GitLab's `ProjectWithAccess`. */
export function projectEntity(box: Box, project: Project, reader: User | null): Record<string, unknown> {
  return {
    ...projectDetails(box, project, reader),
    permissions: permissionsPart(box, project, reader),
  };
}

/** GitLab's `Project`. */
export function projectDetails(box: Box, project: Project, reader: User | null): Record<string, unknown> {
  const developer = levelIn(box.state, reader, project) >= LEVEL.developer;
  const access = (enabled: boolean): string => (enabled ? "enabled" : "disabled");
  return {
    ...commonFields(box, project, reader),
    visibility: project.visibility,
    _links: linksOf(box, project),
    empty_repo: project.emptyRepo,
    archived: project.archived,
    ...ownerPart(box, project),
    resolve_outdated_diff_discussions: false,
    issues_enabled: true,
    merge_requests_enabled: project.repositoryEnabled,
    wiki_enabled: true,
    jobs_enabled: project.buildsEnabled,
    snippets_enabled: true,
    container_registry_enabled: false,
    service_desk_enabled: false,
    can_create_merge_request_in: project.repositoryEnabled && developer && !project.archived,
    issues_access_level: "enabled",
    repository_access_level: access(project.repositoryEnabled),
    merge_requests_access_level: access(project.repositoryEnabled),
    builds_access_level: access(project.buildsEnabled),
    shared_runners_enabled: true,
    lfs_enabled: false,
    creator_id: project.creatorId,
    ...forkPart(box, project, reader),
    ...importFields(box, project, reader),
    open_issues_count: 0,
    updated_at: project.updatedAt,
    ci_config_path: "",
    public_jobs: true,
    shared_with_groups: sharesPart(box, project),
    only_allow_merge_if_pipeline_succeeds: false,
    request_access_enabled: true,
    only_allow_merge_if_all_discussions_are_resolved: false,
    remove_source_branch_after_merge: true,
    merge_method: "merge",
    auto_devops_enabled: false,
    ...deletionPart(box, project),
  };
}

function deletionPart({ version }: Box, project: Project): Record<string, unknown> {
  if (!version.has("delayedDeletion")) return {};
  const day = project.markedForDeletionOn;
  return { marked_for_deletion_at: day, marked_for_deletion_on: day };
}

function forkPart(box: Box, project: Project, reader: User | null): Record<string, unknown> {
  const source = project.forkedFromId === null ? undefined : box.state.projects.get(project.forkedFromId);
  return source ? { forked_from_project: projectBasics(box, source, reader) } : {};
}

function sharesPart(box: Box, project: Project): unknown[] {
  return [...project.shares].flatMap(([groupId, share]) => {
    const group = box.state.groups.get(groupId);
    if (!group) return [];
    return {
      group_id: groupId,
      group_name: group.name,
      group_full_path: group.fullPath,
      group_access_level: share.level,
      expires_at: share.expiresAt,
    };
  });
}

function defaultBranch(box: Box, project: Project): string | null {
  const named = !project.emptyRepo || box.version.has("configuredDefaultBranchInEmptyProject");
  return named ? project.defaultBranch : null;
}

function namespaceName(box: Box, project: Project): string {
  const group = box.state.groups.get(project.namespaceId);
  if (group) return fullName(box.state, group);
  return findNamespaceOwner(box.state, project.namespaceId)?.name ?? project.fullPath;
}

function namespacePart(box: Box, project: Project): Record<string, unknown> | null {
  const place =
    box.state.groups.get(project.namespaceId) ?? findNamespaceOwner(box.state, project.namespaceId);
  return place ? namespaceBasic(box, place) : null;
}

function ownerPart(box: Box, project: Project): Record<string, unknown> {
  const owner = findNamespaceOwner(box.state, project.namespaceId);
  if (!owner) return {};
  const { id, username, name } = owner;
  return { owner: { id, username, name, state: "active", avatar_url: null, web_url: userUrl(box, owner) } };
}

function linksOf(box: Box, project: Project): Record<string, string> {
  const self = `${box.url}/api/v4/projects/${project.id}`;
  return {
    self,
    issues: `${self}/issues`,
    merge_requests: `${self}/merge_requests`,
    repo_branches: `${self}/repository/branches`,
    labels: `${self}/labels`,
    events: `${self}/events`,
    members: `${self}/members`,
  };
}

/**
 * Memberships only: null for administrators who are no members and for those who come through an invited group. Until 18.0 the group's
 * part is the record in the project's own group, not those above it (§5.4).
 */
function permissionsPart(box: Box, project: Project, reader: User | null): Record<string, unknown> {
  if (!reader) return { project_access: null, group_access: null };
  const { state, version } = box;
  const part = (level: number): unknown =>
    level === 0 ? null : { access_level: level, notification_level: 3 };
  const owns = reader.namespaceId === project.namespaceId;
  const own = version.has("ownPersonalProjectsAreOwner") ? LEVEL.owner : LEVEL.maintainer;
  const group = state.groups.get(project.namespaceId);
  const inherited = version.has("groupAccessOfAncestors") ? recordedGroupLevel : directLevel;
  return {
    project_access: part(owns ? own : directLevel(state, reader, project)),
    group_access: part(group ? inherited(state, reader, group) : 0),
  };
}

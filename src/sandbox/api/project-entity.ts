import { directLevel, groupLevel, canReadCode, LEVEL, levelIn } from "../access.ts";
import type { Box } from "../box.ts";
import type { Project, User } from "../state.ts";
import { httpUrl, sshUrl, userUrl, webUrl } from "../urls.ts";

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

/** GitLab's `BasicProjectDetails`: what `simple=true` gives. */
export function projectBasics(box: Box, project: Project, reader: User | null): Record<string, unknown> {
  return {
    ...projectIdentity(box, project),
    ...(canReadCode(box.state, reader, project) ? { default_branch: defaultBranch(box, project) } : {}),
    tag_list: [],
    topics: [],
    ssh_url_to_repo: sshUrl(box, project),
    http_url_to_repo: httpUrl(box, project),
    web_url: webUrl(box, project),
    readme_url: null,
    forks_count: 0,
    avatar_url: null,
    star_count: 0,
    last_activity_at: project.lastActivityAt,
    visibility: project.visibility,
    namespace: namespacePart(box, project),
  };
}

/** GitLab's `ProjectWithAccess`. */
export function projectEntity(box: Box, project: Project, reader: User | null): Record<string, unknown> {
  return {
    ...projectBasics(box, project, reader),
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
    can_create_merge_request_in:
      project.repositoryEnabled && levelIn(box.state, reader, project) >= LEVEL.developer,
    issues_access_level: "enabled",
    repository_access_level: project.repositoryEnabled ? "enabled" : "disabled",
    merge_requests_access_level: project.repositoryEnabled ? "enabled" : "disabled",
    builds_access_level: project.buildsEnabled ? "enabled" : "disabled",
    shared_runners_enabled: true,
    lfs_enabled: false,
    creator_id: project.creatorId,
    import_url: null,
    import_type: null,
    import_status: "none",
    import_error: null,
    open_issues_count: 0,
    ci_config_path: "",
    public_jobs: true,
    shared_with_groups: [],
    only_allow_merge_if_pipeline_succeeds: false,
    request_access_enabled: true,
    only_allow_merge_if_all_discussions_are_resolved: false,
    remove_source_branch_after_merge: true,
    merge_method: "merge",
    auto_devops_enabled: false,
    marked_for_deletion_on: null,
    permissions: permissionsPart(box, project, reader),
  };
}

function defaultBranch(box: Box, project: Project): string | null {
  const named = !project.emptyRepo || box.version.has("configuredDefaultBranchInEmptyProject");
  return named ? project.defaultBranch : null;
}

function namespaceName(box: Box, project: Project): string {
  const group = box.state.groups.get(project.namespaceId);
  return group?.name ?? ownerOf(box, project)?.name ?? project.fullPath;
}

function ownerOf(box: Box, project: Project): User | undefined {
  return [...box.state.users.values()].find((user) => user.namespaceId === project.namespaceId);
}

function namespacePart(box: Box, project: Project): Record<string, unknown> {
  const group = box.state.groups.get(project.namespaceId);
  const fullPath = project.fullPath.slice(0, project.fullPath.lastIndexOf("/"));
  return {
    id: project.namespaceId,
    name: namespaceName(box, project),
    path: group?.path ?? fullPath,
    kind: group ? "group" : "user",
    full_path: fullPath,
    parent_id: group?.parentId ?? null,
    avatar_url: null,
    web_url: `${box.url}/${group ? "groups/" : ""}${fullPath}`,
  };
}

function ownerPart(box: Box, project: Project): Record<string, unknown> {
  const owner = ownerOf(box, project);
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

/** Both parts are null for administrators who are no members: the level cannot be read here then. */
function permissionsPart(box: Box, project: Project, reader: User | null): Record<string, unknown> {
  if (!reader) return { project_access: null, group_access: null };
  const part = (level: number): unknown =>
    level === 0 ? null : { access_level: level, notification_level: 3 };
  const owns = reader.namespaceId === project.namespaceId;
  const own = box.version.has("ownPersonalProjectsAreOwner") ? LEVEL.owner : LEVEL.maintainer;
  return {
    project_access: part(owns ? own : directLevel(reader, project)),
    group_access: part(groupLevel(box.state, reader, project.namespaceId)),
  };
}

import type { Call } from "../route.ts";
import type { Group } from "../state.ts";
import { fullName } from "./namespace-entity.ts";
import { projectBasics, projectEntity } from "./project-entity.ts";
import { filtered } from "./project-list.ts";

/** As many projects as GitLab puts into the details of a group. */
const PROJECTS_IN_DETAILS = 100;

/** GitLab's `Group`. */
export function groupEntity(call: Call, group: Group): Record<string, unknown> {
  const { state, url, version } = call.box;
  return {
    id: group.id,
    web_url: `${url}/groups/${group.fullPath}`,
    name: group.name,
    path: group.path,
    description: group.description,
    visibility: group.visibility,
    share_with_group_lock: false,
    require_two_factor_authentication: false,
    two_factor_grace_period: 48,
    project_creation_level: group.projectCreationLevel,
    auto_devops_enabled: null,
    subgroup_creation_level: group.subgroupCreationLevel,
    emails_disabled: false,
    mentions_disabled: null,
    lfs_enabled: true,
    archived: group.archived,
    avatar_url: null,
    request_access_enabled: true,
    full_name: fullName(state, group),
    full_path: group.fullPath,
    created_at: group.createdAt,
    parent_id: group.parentId,
    ...(version.has("delayedDeletion") ? { marked_for_deletion_on: group.markedForDeletionOn } : {}),
  };
}

/** GitLab's `GroupDetail`. */
export function groupDetails(call: Call, group: Group, withProjects: boolean): Record<string, unknown> {
  const { state } = call.box;
  const shared = [...group.shares].flatMap(([id, share]) => {
    const invited = state.groups.get(id);
    if (!invited) return [];
    return {
      group_id: id,
      group_name: invited.name,
      group_full_path: invited.fullPath,
      group_access_level: share.level,
      expires_at: share.expiresAt,
    };
  });
  return {
    ...groupEntity(call, group),
    shared_with_groups: shared,
    prevent_sharing_groups_outside_hierarchy: false,
    ...(withProjects ? projectParts(call, group) : {}),
  };
}

function projectParts(call: Call, group: Group): Record<string, unknown> {
  const { state } = call.box;
  const user = call.currentUser();
  const present = user ? projectEntity : projectBasics;
  const all = [...state.projects.values()];
  const list = (projects: Iterable<(typeof all)[number]>): unknown[] =>
    filtered(call, projects, {})
      .slice(0, PROJECTS_IN_DETAILS)
      .map((project) => present(call.box, project, user));
  return {
    projects: list(all.filter(({ namespaceId }) => namespaceId === group.id)),
    shared_projects: list(all.filter(({ shares }) => shares.has(group.id))),
  };
}

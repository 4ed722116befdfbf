import type { Group, Project, State } from "./state.ts";

/** Gives a project another path; the old one leads to it as long as nobody else takes it. */
export function moveProject(state: State, project: Project, namespaceId: number, fullPath: string): void {
  const [before, after] = [project.fullPath.toLowerCase(), fullPath.toLowerCase()];
  if (state.projectsByPath.get(before) === project) state.projectsByPath.delete(before);
  project.namespaceId = namespaceId;
  project.fullPath = fullPath;
  project.path = fullPath.slice(fullPath.lastIndexOf("/") + 1);
  state.projectsByPath.set(after, project);
  if (before !== after) state.formerPaths.set(before, project.id);
  state.formerPaths.delete(after);
}

/** Gives a group another path or parent, and so everything below it. */
export function moveGroup(state: State, group: Group, parentId: number | null, fullPath: string): void {
  const below = `${group.fullPath}/`;
  const groups = [group, ...[...state.groups.values()].filter((one) => one.fullPath.startsWith(below))];
  const projects = [...state.projects.values()].filter((one) => one.fullPath.startsWith(below));
  const moved = (path: string): string => fullPath + path.slice(below.length - 1);
  for (const one of groups) state.groupsByPath.delete(one.fullPath.toLowerCase());
  for (const one of groups) {
    one.fullPath = moved(one.fullPath);
    one.path = one.fullPath.slice(one.fullPath.lastIndexOf("/") + 1);
    state.groupsByPath.set(one.fullPath.toLowerCase(), one);
  }
  group.parentId = parentId;
  for (const one of projects) moveProject(state, one, one.namespaceId, moved(one.fullPath));
}

/** Takes a project and all rows of it away. Its repository goes with the sandbox. */
export function removeProject(state: State, project: Project): void {
  state.projects.delete(project.id);
  const path = project.fullPath.toLowerCase();
  if (state.projectsByPath.get(path) === project) state.projectsByPath.delete(path);
  for (const [former, id] of state.formerPaths) if (id === project.id) state.formerPaths.delete(former);
  for (const hook of state.hooks.values()) if (hook.projectId === project.id) state.hooks.delete(hook.id);
  for (const link of state.deployKeyLinks) {
    if (link.projectId === project.id) state.deployKeyLinks.delete(link);
  }
  for (const status of state.statuses.values()) {
    if (status.projectId === project.id) state.statuses.delete(status.id);
  }
  const source = project.forkedFromId === null ? undefined : state.projects.get(project.forkedFromId);
  if (source) source.forksCount -= 1;
}

/** Takes a group away with everything below it. */
export function removeGroup(state: State, group: Group): void {
  const below = `${group.fullPath}/`;
  for (const project of state.projects.values()) {
    if (project.fullPath.startsWith(below)) removeProject(state, project);
  }
  for (const one of state.groups.values()) {
    if (one !== group && !one.fullPath.startsWith(below)) continue;
    state.groups.delete(one.id);
    state.groupsByPath.delete(one.fullPath.toLowerCase());
  }
}

import type { Box } from "./box.ts";
import type { Project, User } from "./state.ts";

type Place = Pick<Box, "url">;

export function webUrl(box: Place, project: Project): string {
  return `${box.url}/${project.fullPath}`;
}

export function httpUrl(box: Place, project: Project): string {
  return `${webUrl(box, project)}.git`;
}

export function sshUrl(box: Place, project: Project): string {
  return `git@${new URL(box.url).hostname}:${project.fullPath}.git`;
}

export function userUrl(box: Place, user: User): string {
  return `${box.url}/${user.username}`;
}

export function commitUrl(box: Place, project: Project, sha: string): string {
  return `${webUrl(box, project)}/-/commit/${sha}`;
}

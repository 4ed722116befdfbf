import type { Box } from "./box.ts";
import type { Project, User } from "./state.ts";

type Place = Pick<Box, "url">;

export function webUrl(box: Place, project: Project): string {
  return `${box.url}/${project.fullPath}`;
}

export function httpUrl(box: Place, project: Project): string {
  return `${webUrl(box, project)}.git`;
}

/** GitLab writes the short form only for port 22, which is also what an instance without SSH shows. */
export function sshUrl(box: Place & { readonly sshPort?: number | null }, project: Project): string {
  const host = new URL(box.url).hostname;
  if (!box.sshPort) return `git@${host}:${project.fullPath}.git`;
  return `ssh://git@${host}:${box.sshPort}/${project.fullPath}.git`;
}

export function userUrl(box: Place, user: User): string {
  return `${box.url}/${user.username}`;
}

export function commitUrl(box: Place, project: Project, sha: string): string {
  return `${webUrl(box, project)}/-/commit/${sha}`;
}

export function mergeRequestUrl(box: Place, project: Project, iid: number): string {
  return `${webUrl(box, project)}/-/merge_requests/${iid}`;
}

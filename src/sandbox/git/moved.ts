import type { Box } from "../box.ts";
import type { Project, State } from "../state.ts";
import { httpUrl, sshUrl } from "../urls.ts";

/** A project by its path of today, or else by one it once had: a new project at the old path takes it over. */
export function findProjectByPath(
  state: State,
  fullPath: string,
): { readonly project: Project; readonly movedFrom: string | null } | null {
  const path = fullPath.toLowerCase();
  const present = state.projectsByPath.get(path);
  if (present) return { project: present, movedFrom: null };
  const id = state.formerPaths.get(path);
  const moved = id === undefined ? undefined : state.projects.get(id);
  return moved ? { project: moved, movedFrom: fullPath } : null;
}

/** What GitLab prints on the client's terminal then. */
export function movedMessage(
  box: Box,
  project: Project,
  movedFrom: string,
  protocol: "http" | "ssh",
): string {
  const url = protocol === "ssh" ? sshUrl(box, project) : httpUrl(box, project);
  return `Project '${movedFrom}' was moved to '${project.fullPath}'.\n\nPlease update your Git remote:\n\n  git remote set-url origin ${url}\n`;
}

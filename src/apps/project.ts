import { Fault } from "../faults/fault.ts";
import type { GitLab, Project } from "../gitlab/gitlab.ts";

const MAINTAINER = 40;

/** A numeric id, or a full path such as `group/sub/shop`. Throws `BAD_REQUEST`. */
export function parseProjectRef(text: string): number | string {
  const trimmed = text.trim().replaceAll(/^\/+|\/+$/g, "");
  if (/^[1-9]\d{0,14}$/.test(trimmed)) return Number(trimmed);
  const segment = /^[\p{L}\p{N}_.][\p{L}\p{N}_.+ -]*$/u;
  const segments = trimmed.split("/");
  const usable = segments.length >= 2 && segments.every((s) => segment.test(s) && s !== "." && s !== "..");
  if (usable && trimmed.length <= 1024) return trimmed;
  throw Fault.of("BAD_REQUEST", "invalid", {
    message: "A project is given by its numeric id or its full path, such as group/project",
  });
}

/** Throws the Fault of what keeps this project from being deployed. An empty repository does not: its first push will. */
export async function refuseUnfit(gitlab: GitLab, project: Project, signal?: AbortSignal): Promise<void> {
  const evidence = { project: project.path, link: project.webUrl };
  if (project.pendingDeletion) throw Fault.of("PROJECT_NOT_FOUND", "pending_deletion", { evidence });
  if (project.archived) throw Fault.of("PROJECT_ARCHIVED", "", { evidence });
  if (project.repositoryDisabled) throw Fault.of("REPOSITORY_DISABLED", "", { evidence });
  if (project.accessLevel !== null && project.accessLevel < MAINTAINER) {
    // An administrator may do everything whatever the membership says, so GitLab's own answer decides: this call needs Maintainer and changes nothing.
    await gitlab.listHooks(project.id, signal ? { signal } : {});
  }
}

import type { Box } from "../box.ts";
import type { Project, Visibility } from "../state.ts";
import { httpUrl, sshUrl, webUrl } from "../urls.ts";

export type PayloadBox = Pick<Box, "url" | "version">;

export const VISIBILITY_LEVEL: Readonly<Record<Visibility, number>> = {
  private: 0,
  internal: 10,
  public: 20,
};

/** `project` of every payload. */
export function projectPart(box: PayloadBox, project: Project): Record<string, unknown> {
  return {
    id: project.id,
    name: project.name,
    description: project.description,
    web_url: webUrl(box, project),
    avatar_url: null,
    git_ssh_url: sshUrl(box, project),
    git_http_url: httpUrl(box, project),
    namespace: project.fullPath.slice(0, project.fullPath.lastIndexOf("/")),
    visibility_level: VISIBILITY_LEVEL[project.visibility],
    path_with_namespace: project.fullPath,
    default_branch: project.defaultBranch,
    ci_config_path: null,
    homepage: webUrl(box, project),
    url: sshUrl(box, project),
    ssh_url: sshUrl(box, project),
    http_url: httpUrl(box, project),
  };
}

/** `repository` of payloads that are not about a push; older than `project` and kept for old receivers. */
export function repositoryPart(box: PayloadBox, project: Project): Record<string, unknown> {
  return {
    name: project.name,
    url: sshUrl(box, project),
    description: project.description,
    homepage: webUrl(box, project),
  };
}

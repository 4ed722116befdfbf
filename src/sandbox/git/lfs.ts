import { canSee } from "../access.ts";
import type { Box } from "../box.ts";
import type { Reply } from "../reply.ts";
import { accessDenied, identityOf } from "./access.ts";

/**
 * Every LFS request: this GitLab has LFS switched off (§10.5), which is said only to those whose credentials do, or who may see the
 * project without any. So git-lfs stops with a reason instead of storing pointers without their files.
 */
export function refuseLfs(box: Box, fullPath: string, authorization: string | undefined): Reply {
  if (authorization !== undefined) identityOf(box, authorization);
  else {
    const project = box.state.projectsByPath.get(fullPath.toLowerCase());
    if (!project || !canSee(box.state, null, project)) throw accessDenied(box);
  }
  return {
    status: 501,
    contentType: "application/vnd.git-lfs+json",
    json: {
      message: "Git LFS is not enabled on this GitLab server, contact your admin.",
      documentation_url: `${box.url}/help`,
    },
  };
}

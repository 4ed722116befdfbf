import type { Route } from "../route.ts";
import { archiveRoutes } from "./archive.ts";
import { branchRoutes } from "./branches.ts";
import { commitRoutes } from "./commits.ts";
import { compareRoutes } from "./compare.ts";
import { deployKeyRoutes } from "./deploy-keys.ts";
import { deploymentRoutes } from "./deployments.ts";
import { environmentRoutes } from "./environments.ts";
import { fileRoutes } from "./files.ts";
import { groupRoutes } from "./groups.ts";
import { hookRoutes } from "./hooks.ts";
import { memberRoutes } from "./members.ts";
import { metadataRoutes } from "./metadata.ts";
import { mergeRequestRoutes } from "./merge-requests.ts";
import { noteRoutes } from "./notes.ts";
import { namespaceRoutes } from "./namespaces.ts";
import { projectRoutes } from "./projects.ts";
import { statusRoutes } from "./statuses.ts";
import { protectedBranchRoutes } from "./protected-branches.ts";
import { sshKeyRoutes } from "./ssh-keys.ts";
import { tagRoutes } from "./tags.ts";
import { treeRoutes } from "./tree.ts";
import { createTokenRoutes } from "./create-token.ts";
import { resourceTokenRoutes } from "./resource-tokens.ts";
import { settingRoutes } from "./settings.ts";
import { selfTokenRoutes } from "./tokens-self.ts";
import { tokenRoutes } from "./tokens.ts";
import { userRoutes } from "./users.ts";

/** Every endpoint. The first that matches answers. */
export const ROUTES: readonly Route[] = [
  ...metadataRoutes,
  ...userRoutes,
  ...selfTokenRoutes,
  ...tokenRoutes,
  ...createTokenRoutes,
  ...resourceTokenRoutes,
  ...settingRoutes,
  ...projectRoutes,
  ...groupRoutes,
  ...namespaceRoutes,
  ...memberRoutes,
  ...branchRoutes,
  ...protectedBranchRoutes,
  ...tagRoutes,
  ...treeRoutes,
  ...compareRoutes,
  ...archiveRoutes,
  ...fileRoutes,
  ...commitRoutes,
  ...hookRoutes,
  ...deployKeyRoutes,
  ...sshKeyRoutes,
  ...statusRoutes,
  ...environmentRoutes,
  ...deploymentRoutes,
  ...mergeRequestRoutes,
  ...noteRoutes,
];

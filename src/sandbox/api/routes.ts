import type { Route } from "../route.ts";
import { branchRoutes } from "./branches.ts";
import { commitRoutes } from "./commits.ts";
import { deployKeyRoutes } from "./deploy-keys.ts";
import { fileRoutes } from "./files.ts";
import { groupRoutes } from "./groups.ts";
import { hookRoutes } from "./hooks.ts";
import { metadataRoutes } from "./metadata.ts";
import { mergeRequestRoutes } from "./merge-requests.ts";
import { noteRoutes } from "./notes.ts";
import { projectRoutes } from "./projects.ts";
import { statusRoutes } from "./statuses.ts";
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
  ...branchRoutes,
  ...treeRoutes,
  ...fileRoutes,
  ...commitRoutes,
  ...hookRoutes,
  ...deployKeyRoutes,
  ...statusRoutes,
  ...mergeRequestRoutes,
  ...noteRoutes,
];

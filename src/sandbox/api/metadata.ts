import { createHash } from "node:crypto";
import type { Box } from "../box.ts";
import { ok } from "../reply.ts";
import { route, type Route } from "../route.ts";

function versionBody(box: Box): Record<string, unknown> {
  const revision = createHash("sha256").update(box.version.text).digest("hex").slice(0, 11);
  return { version: box.version.text, revision };
}

function metadataBody(box: Box): Record<string, unknown> {
  const { version } = box;
  return {
    ...versionBody(box),
    kas: {
      enabled: false,
      externalUrl: null,
      ...(version.has("metadataExternalProxyUrl") ? { externalK8sProxyUrl: null } : {}),
      version: null,
    },
    ...(version.has("metadataEnterprise") ? { enterprise: version.text.endsWith("-ee") } : {}),
  };
}

const scopes = [{ name: "read_user", since: "versionForReadUser" }, "ai_features"] as const;

export const metadataRoutes: readonly Route[] = [
  route({
    method: "GET",
    path: "/version",
    scopes,
    params: {},
    handle: ({ box }) => ok(box.version.has("versionLikeMetadata") ? metadataBody(box) : versionBody(box)),
  }),
  route({
    method: "GET",
    path: "/metadata",
    scopes,
    since: "metadata",
    params: {},
    handle: ({ box }) => ok(metadataBody(box)),
  }),
];

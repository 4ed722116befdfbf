import { createHash } from "node:crypto";
import type { Box } from "../box.ts";
import { ok } from "../reply.ts";
import { route, type Route } from "../route.ts";

function versionBody(box: Box): Record<string, unknown> {
  const revision = createHash("sha256").update(box.version.text).digest("hex").slice(0, 11);
  return { version: box.version.text, revision };
}

function metadataBody(box: Box): Record<string, unknown> {
  return {
    ...versionBody(box),
    kas: { enabled: false, externalUrl: null, externalK8sProxyUrl: null, version: null },
    enterprise: box.version.text.endsWith("-ee"),
  };
}

export const metadataRoutes: readonly Route[] = [
  route({
    method: "GET",
    path: "/version",
    scopes: ["read_user"],
    params: {},
    handle: ({ box }) => ok(box.version.has("tokenSelf") ? metadataBody(box) : versionBody(box)),
  }),
  route({
    method: "GET",
    path: "/metadata",
    scopes: ["read_user"],
    since: "metadata",
    params: {},
    handle: ({ box }) => ok(metadataBody(box)),
  }),
];

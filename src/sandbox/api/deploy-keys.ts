import { LEVEL, levelIn } from "../access.ts";
import { flag, integer, text } from "../params.ts";
import { paged } from "../paging.ts";
import { created, forbidden, noContent, notFound, ok, recordNotFound, refuse } from "../reply.ts";
import { route, type Call, type Route } from "../route.ts";
import type { DeployKey, DeployKeyLink, Project } from "../state.ts";
import { parsePublicKey } from "../public-key.ts";
import { getProjectAs } from "./find-project.ts";
import { projectIdentity } from "./project-entity.ts";

const path = "/projects/:id/deploy_keys";
const administered = (call: Call): Project => getProjectAs(call, LEVEL.maintainer);
const before = (call: Call): void => void administered(call);

/** GitLab's `DeployKeysProject`: the key as it was sent, with its comment. */
function keyEntity(call: Call, key: DeployKey, link: DeployKeyLink): Record<string, unknown> {
  return { ...keyFields(call, key), can_push: link.canPush };
}

function keyFields(call: Call, key: DeployKey): Record<string, unknown> {
  const { version } = call.box;
  return {
    id: key.id,
    title: key.title,
    created_at: key.createdAt,
    ...(version.has("deployKeyExpiry") ? { expires_at: key.expiresAt, last_used_at: null } : {}),
    key: key.key,
    ...(version.has("deployKeyExpiry") ? { usage_type: "auth" } : {}),
    fingerprint: key.fingerprint,
    ...(version.has("deployKeySha256") ? { fingerprint_sha256: key.fingerprintSha256 } : {}),
  };
}

/** GitLab's `DeployKey`, for administrators: with the projects it opens instead of what it may do in one. */
function instanceKeyEntity(call: Call, key: DeployKey): Record<string, unknown> {
  const links = [...call.box.state.deployKeyLinks].filter((link) => link.keyId === key.id);
  const projects = (canPush: boolean): unknown[] =>
    links
      .filter((link) => link.canPush === canPush)
      .flatMap((link) => call.box.state.projects.get(link.projectId) ?? [])
      .map((project) => projectIdentity(call.box, project));
  return {
    ...keyFields(call, key),
    projects_with_write_access: projects(true),
    projects_with_readonly_access: projects(false),
  };
}

function linksOf(call: Call): DeployKeyLink[] {
  const project = administered(call);
  return [...call.box.state.deployKeyLinks].filter((link) => link.projectId === project.id);
}

function findLinked(
  call: Call,
  keyId: number,
): { readonly key: DeployKey; readonly link: DeployKeyLink } | null {
  const link = linksOf(call).find((link) => link.keyId === keyId);
  const key = call.box.state.deployKeys.get(keyId);
  return link && key ? { key, link } : null;
}

export const deployKeyRoutes: readonly Route[] = [
  route({
    method: "GET",
    path: "/deploy_keys",
    before: (call) => {
      if (!call.authenticate().admin) throw forbidden();
    },
    params: {},
    handle: (call) =>
      paged(call, [...call.box.state.deployKeys.values()], (key) => instanceKeyEntity(call, key)),
  }),
  route({
    method: "GET",
    path,
    before,
    params: {},
    handle: (call) =>
      paged(call, linksOf(call), (link) => {
        const key = call.box.state.deployKeys.get(link.keyId);
        return key ? keyEntity(call, key, link) : null;
      }),
  }),
  route({
    method: "GET",
    path: `${path}/:key_id`,
    before,
    params: { key_id: integer },
    handle: (call, { key_id }) => {
      const found = findLinked(call, key_id);
      if (!found) throw recordNotFound();
      return ok(keyEntity(call, found.key, found.link));
    },
  }),
  route({
    method: "POST",
    path,
    before,
    params: { key: text, title: text, can_push: flag.optional(), expires_at: text.optional() },
    handle: (call, given) => {
      const project = administered(call);
      const { state } = call.box;
      const words = given.key.trim();
      const same = [...state.deployKeys.values()].find((key) => key.key === words);
      const linked = same && findLinked(call, same.id);
      if (linked) return created(keyEntity(call, linked.key, linked.link));
      const known =
        same && canReach(call, same) ? same : insertKey(call, words, given.title, given.expires_at);
      const link = { projectId: project.id, keyId: known.id, canPush: given.can_push ?? false };
      state.deployKeyLinks.add(link);
      return created(keyEntity(call, known, link));
    },
  }),
  route({
    method: "DELETE",
    path: `${path}/:key_id`,
    before,
    params: { key_id: integer },
    handle: (call, { key_id }) => {
      const found = findLinked(call, key_id);
      if (!found) throw notFound("Deploy key");
      const { deployKeys, deployKeyLinks } = call.box.state;
      deployKeyLinks.delete(found.link);
      const orphan = ![...deployKeyLinks].some((link) => link.keyId === key_id);
      if (orphan) deployKeys.delete(key_id);
      return noContent();
    },
  }),
];

/** A key of another project joins when its user administers that project too. */
function canReach(call: Call, key: DeployKey): boolean {
  const { state } = call.box;
  return [...state.deployKeyLinks].some((link) => {
    const project = state.projects.get(link.projectId);
    return link.keyId === key.id && project !== undefined && maintains(call, project);
  });
}

function maintains(call: Call, project: Project): boolean {
  return levelIn(call.box.state, call.authenticate(), project) >= LEVEL.maintainer;
}

function insertKey(call: Call, words: string, title: string, expiresAt: string | undefined): DeployKey {
  const { state } = call.box;
  const parsed = parsePublicKey(words);
  const expiry = expiresAt === undefined ? null : new Date(expiresAt);
  const problems = {
    ...(title.trim() === "" ? { "deploy_key.title": ["can't be blank"] } : {}),
    ...(title.length > 255 ? { "deploy_key.title": ["is too long (maximum is 255 characters)"] } : {}),
    ...(parsed
      ? {}
      : { "deploy_key.key": ["is invalid"], "deploy_key.fingerprint_sha256": ["cannot be generated"] }),
    ...(expiry && expiry.getTime() <= state.clock.now() ? { "deploy_key.key": ["has expired"] } : {}),
  };
  if (!parsed || Object.keys(problems).length > 0) throw refuse(400, problems);
  const twin = [...state.deployKeys.values()].some(
    (key) => key.fingerprintSha256 === parsed.fingerprintSha256,
  );
  if (twin) throw refuse(400, { [`deploy_key.${takenField(call)}`]: ["has already been taken"] });
  const key: DeployKey = {
    id: state.nextId("key"),
    title,
    key: words,
    ...parsed,
    createdAt: state.now(),
    expiresAt: expiry?.toISOString() ?? null,
    creatorId: call.authenticate().id,
  };
  state.deployKeys.set(key.id, key);
  return key;
}

function takenField(call: Call): string {
  return call.box.version.has("deployKeySha256") ? "fingerprint_sha256" : "fingerprint";
}

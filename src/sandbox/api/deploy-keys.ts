import { LEVEL, levelIn } from "../access.ts";
import { judgeKey, titleProblems } from "../key-problems.ts";
import { dateTime, flag, integer, text, validate } from "../params.ts";
import { paged } from "../paging.ts";
import { created, forbidden, noContent, notFound, ok, recordNotFound, refuse, type Reply } from "../reply.ts";
import { route, type Call, type Route } from "../route.ts";
import type { DeployKey, DeployKeyLink, Project } from "../state.ts";
import { deployKeyEntity, instanceDeployKeyEntity } from "./deploy-key-entity.ts";
import { getProjectAs } from "./find-project.ts";

const path = "/projects/:id/deploy_keys";
const administered = (call: Call): Project => getProjectAs(call, LEVEL.maintainer);
const before = (call: Call): void => void administered(call);
const single = { key_id: integer };

function beforeInstance(call: Call): void {
  if (!call.authenticate().admin) throw forbidden();
}

export const deployKeyRoutes: readonly Route[] = [
  route({
    method: "GET",
    path: "/deploy_keys",
    before: beforeInstance,
    params: { public: flag.optional() },
    handle: (call, given) => {
      const keys = [...call.box.state.deployKeys.values()];
      const wanted = keys.filter((key) => given.public === undefined || key.isPublic === given.public);
      return paged(call, wanted, (key) => instanceDeployKeyEntity(call.box, key));
    },
  }),
  route({
    method: "POST",
    path: "/deploy_keys",
    since: "instanceDeployKeyCreate",
    before: beforeInstance,
    params: { key: text, title: text, expires_at: dateTime.optional() },
    handle: (call, given) => {
      const key = insertKey(call, { ...given, isPublic: true }, "");
      return created(instanceDeployKeyEntity(call.box, key));
    },
  }),
  route({
    method: "GET",
    path,
    before,
    params: {},
    handle: (call) => paged(call, linkedOf(call), ({ key, link }) => deployKeyEntity(call.box, key, link)),
  }),
  route({
    method: "GET",
    path: `${path}/:key_id`,
    before,
    params: single,
    handle: (call, { key_id }) => {
      const { key, link } = getLinked(call, key_id);
      return ok(deployKeyEntity(call.box, key, link));
    },
  }),
  route({
    method: "POST",
    path,
    before,
    params: { key: text, title: text, can_push: flag.optional() },
    handle: (call, given) => addKey(call, { ...given, ...readExpiry(call) }),
  }),
  route({
    method: "PUT",
    path: `${path}/:key_id`,
    before,
    params: { ...single, title: text.optional(), can_push: flag.optional() },
    needsOneOf: ["title", "can_push"],
    handle: updateKey,
  }),
  route({
    method: "DELETE",
    path: `${path}/:key_id`,
    before,
    params: single,
    handle: (call, { key_id }) => {
      const { deployKeys, deployKeyLinks } = call.box.state;
      const found = linkedOf(call).find(({ key }) => key.id === key_id);
      if (!found) throw notFound("Deploy key");
      deployKeyLinks.delete(found.link);
      const orphan = ![...deployKeyLinks].some((link) => link.keyId === key_id);
      if (orphan && !found.key.isPublic) deployKeys.delete(key_id);
      return noContent();
    },
  }),
  route({
    method: "POST",
    path: `${path}/:key_id/enable`,
    before,
    params: single,
    handle: (call, { key_id }) => {
      const key = call.box.state.deployKeys.get(key_id);
      if (!key || !canReach(call, key)) throw notFound("Deploy key");
      return created(deployKeyEntity(call.box, key, linkTo(call, key, false)));
    },
  }),
];

interface Linked {
  readonly key: DeployKey;
  readonly link: DeployKeyLink;
}

function linkedOf(call: Call): Linked[] {
  const project = administered(call);
  const { deployKeys, deployKeyLinks } = call.box.state;
  return [...deployKeyLinks].flatMap((link) => {
    const key = link.projectId === project.id ? deployKeys.get(link.keyId) : undefined;
    return key ? [{ key, link }] : [];
  });
}

function getLinked(call: Call, keyId: number): Linked {
  const found = linkedOf(call).find(({ key }) => key.id === keyId);
  if (!found) throw recordNotFound();
  return found;
}

/** Before 16.1 keys did not expire, and the parameter was ignored like any unknown one. */
function readExpiry(call: Call): { readonly expires_at?: string | undefined } {
  if (!call.box.version.has("deployKeyExpiry")) return {};
  return validate({ expires_at: dateTime.optional() }, call.input, []);
}

interface Given {
  readonly key: string;
  readonly title: string;
  readonly can_push?: boolean | undefined;
  readonly expires_at?: string | undefined;
}

/** §8: the same string in this project is answered with what is there; one from elsewhere that the user reaches is joined; else it is new. */
function addKey(call: Call, given: Given): Reply {
  const words = given.key.trim();
  const linked = linkedOf(call).find(({ key }) => key.key === words);
  if (linked) return created(deployKeyEntity(call.box, linked.key, linked.link));
  const same = [...call.box.state.deployKeys.values()].find(
    (key) => key.key === words && canReach(call, key),
  );
  const key = same ?? insertKey(call, { ...given, isPublic: false }, "deploy_key.");
  return created(deployKeyEntity(call.box, key, linkTo(call, key, given.can_push ?? false)));
}

function linkTo(call: Call, key: DeployKey, canPush: boolean): DeployKeyLink {
  const linked = linkedOf(call).find((one) => one.key.id === key.id);
  if (linked) return linked.link;
  const link = { projectId: administered(call).id, keyId: key.id, canPush };
  call.box.state.deployKeyLinks.add(link);
  return link;
}

/** Public keys are everybody's; others are reached through a project that the user administers. */
function canReach(call: Call, key: DeployKey): boolean {
  const { state } = call.box;
  const user = call.authenticate();
  if (key.isPublic || user.admin) return true;
  return linksOf(call, key).some((link) => {
    const project = state.projects.get(link.projectId);
    return project !== undefined && levelIn(state, user, project) >= LEVEL.maintainer;
  });
}

function linksOf(call: Call, key: DeployKey): DeployKeyLink[] {
  return [...call.box.state.deployKeyLinks].filter((link) => link.keyId === key.id);
}

function updateKey(
  call: Call,
  given: {
    readonly key_id: number;
    readonly title?: string | undefined;
    readonly can_push?: boolean | undefined;
  },
): Reply {
  const { key, link } = getLinked(call, given.key_id);
  if (given.title !== undefined && mayRename(call, key)) {
    const problems = titleProblems(given.title);
    if (problems.length > 0) throw refuse(400, { "deploy_key.title": problems });
    key.title = given.title;
  }
  if (given.can_push !== undefined) link.canPush = given.can_push;
  return ok(deployKeyEntity(call.box, key, link));
}

/** A title that may not be changed is ignored silently: of a public key, and of one that other projects use, too. */
function mayRename(call: Call, key: DeployKey): boolean {
  if (call.authenticate().admin || !call.box.version.has("deployKeyTitleOfOwner")) return true;
  return !key.isPublic && linksOf(call, key).length === 1;
}

function insertKey(call: Call, given: Given & { readonly isPublic: boolean }, prefix: string): DeployKey {
  const { state } = call.box;
  const { title, isPublic, expires_at: expiresAt = null } = given;
  const verdict = judgeKey(call.box, { title, key: given.key, expiresAt }, prefix);
  if ("problems" in verdict) throw refuse(400, verdict.problems);
  const key: DeployKey = {
    id: state.nextId("key"),
    title,
    key: given.key.trim(),
    ...verdict.key,
    createdAt: state.now(),
    expiresAt,
    creatorId: call.authenticate().id,
    isPublic,
  };
  state.deployKeys.set(key.id, key);
  return key;
}

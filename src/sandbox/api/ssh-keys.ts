import { insertSshKey, isKeyTaken } from "../keys.ts";
import { dateTime, integer, oneOf, text } from "../params.ts";
import { parsePublicKey } from "../public-key.ts";
import { paged } from "../paging.ts";
import { created, forbidden, noContent, notFound, ok, refuse } from "../reply.ts";
import { route, type Call, type Route } from "../route.ts";
import type { SshKey, User } from "../state.ts";
import { userPublic } from "./entities.ts";

/** GitLab's `SSHKey`. */
function keyEntity(call: Call, key: SshKey): Record<string, unknown> {
  const { version } = call.box;
  return {
    id: key.id,
    title: key.title,
    created_at: key.createdAt,
    ...(version.has("sshKeyExpiry") ? { expires_at: key.expiresAt } : {}),
    ...(version.has("deployKeyExpiry") ? { last_used_at: null } : {}),
    key: key.key,
    ...(version.has("sshKeyUsageType") ? { usage_type: key.usageType } : {}),
  };
}

function keysOf(call: Call, user: User): SshKey[] {
  return [...call.box.state.sshKeys.values()].filter((key) => key.userId === user.id);
}

function getKey(call: Call, user: User, id: number): SshKey {
  const key = keysOf(call, user).find((key) => key.id === id);
  if (!key) throw notFound("Key");
  return key;
}

function getUser(call: Call): User {
  const wanted = call.path["user_id"] ?? "";
  const user = [...call.box.state.users.values()].find(
    ({ id, username }) => String(id) === wanted || username === wanted,
  );
  if (!user) throw notFound("User");
  return user;
}

const asAdmin = (call: Call): void => {
  if (!call.authenticate().admin) throw forbidden();
};

const params = {
  key: text,
  title: text,
  expires_at: dateTime.optional(),
  usage_type: oneOf(["auth", "signing", "auth_and_signing"]).optional(),
};

interface Given {
  readonly key: string;
  readonly title: string;
  readonly expires_at?: string | undefined;
  readonly usage_type?: SshKey["usageType"] | undefined;
}

function createKey(call: Call, user: User, given: Given): ReturnType<typeof created> {
  const problems = { ...keyProblems(call, given), ...titleProblems(given.title) };
  if (Object.keys(problems).length > 0) throw refuse(400, problems);
  const key = insertSshKey(call.box.state, {
    user,
    title: given.title,
    key: given.key,
    expiresAt: given.expires_at ?? null,
    usageType: given.usage_type ?? "auth_and_signing",
  });
  return created(keyEntity(call, key));
}

type Problems = Readonly<Record<string, readonly string[]>>;

function keyProblems(call: Call, given: Given): Problems {
  const { state, version } = call.box;
  const field = version.has("deployKeySha256") ? "fingerprint_sha256" : "fingerprint";
  const parsed = parsePublicKey(given.key);
  if (!parsed) return { key: ["is invalid"], [field]: ["cannot be generated"] };
  const expired = given.expires_at !== undefined && Date.parse(given.expires_at) <= state.clock.now();
  return {
    ...(expired ? { key: ["has expired"] } : {}),
    ...(isKeyTaken(state, parsed.fingerprintSha256) ? { [field]: ["has already been taken"] } : {}),
  };
}

function titleProblems(title: string): Problems {
  return title.trim() === "" ? { title: ["can't be blank"] } : {};
}

export const sshKeyRoutes: readonly Route[] = [
  route({
    method: "GET",
    path: "/user/keys",
    scopes: ["read_user"],
    params: {},
    handle: (call) => paged(call, keysOf(call, call.authenticate()), (key) => keyEntity(call, key)),
  }),
  route({
    method: "GET",
    path: "/user/keys/:key_id",
    scopes: ["read_user"],
    params: { key_id: integer },
    handle: (call, { key_id }) => ok(keyEntity(call, getKey(call, call.authenticate(), key_id))),
  }),
  route({
    method: "POST",
    path: "/user/keys",
    params,
    handle: (call, given) => createKey(call, call.authenticate(), given),
  }),
  route({
    method: "DELETE",
    path: "/user/keys/:key_id",
    params: { key_id: integer },
    handle: (call, { key_id }) => {
      call.box.state.sshKeys.delete(getKey(call, call.authenticate(), key_id).id);
      return noContent();
    },
  }),
  route({
    method: "GET",
    path: "/users/:user_id/keys",
    authenticate: "lazily",
    params: {},
    handle: (call) => paged(call, keysOf(call, getUser(call)), (key) => keyEntity(call, key)),
  }),
  route({
    method: "GET",
    path: "/users/:user_id/keys/:key_id",
    authenticate: "lazily",
    params: { key_id: integer },
    handle: (call, { key_id }) => ok(keyEntity(call, getKey(call, getUser(call), key_id))),
  }),
  route({
    method: "POST",
    path: "/users/:user_id/keys",
    before: asAdmin,
    params,
    handle: (call, given) => createKey(call, getUser(call), given),
  }),
  route({
    method: "DELETE",
    path: "/users/:user_id/keys/:key_id",
    before: asAdmin,
    params: { key_id: integer },
    handle: (call, { key_id }) => {
      call.box.state.sshKeys.delete(getKey(call, getUser(call), key_id).id);
      return noContent();
    },
  }),
  route({
    method: "GET",
    path: "/keys",
    before: asAdmin,
    params: { fingerprint: text },
    handle: (call, { fingerprint }) => {
      const { state } = call.box;
      const key = [...state.sshKeys.values()].find(
        (key) => key.fingerprint === fingerprint || key.fingerprintSha256 === fingerprint,
      );
      return ok(withUser(call, key));
    },
  }),
  route({
    method: "GET",
    path: "/keys/:id",
    before: asAdmin,
    params: { id: integer },
    handle: (call, { id }) => ok(withUser(call, call.box.state.sshKeys.get(id))),
  }),
];

function withUser(call: Call, key: SshKey | undefined): Record<string, unknown> {
  const user = key && call.box.state.users.get(key.userId);
  if (!key || !user) throw notFound("Key");
  return { ...keyEntity(call, key), user: userPublic(call.box, user) };
}

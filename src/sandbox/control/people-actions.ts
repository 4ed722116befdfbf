import { z } from "zod";
import { present } from "./present.ts";
import { action, findPlace, findUser, where, who, type Action } from "./action.ts";

const name = z.string().min(1).max(255);
const conditions = z.enum([
  "active",
  "internal",
  "pending_approval",
  "terms_not_accepted",
  "deactivated",
  "unconfirmed",
  "blocked",
  "ldap_blocked",
  "banned",
  "password_expired",
]);

const LEVELS = { none: 0, guest: 10, reporter: 20, developer: 30, maintainer: 40, owner: 50 } as const;

/** Users, tokens, groups and who is in them. */
export const PEOPLE_ACTIONS = {
  create_user: action(
    "makes a user",
    {
      username: name,
      name: name.optional(),
      email: name.optional(),
      admin: z.boolean().optional(),
      condition: conditions.optional(),
      canCreateGroup: z.boolean().optional(),
    },
    (box, { username, ...rest }) => {
      const user = box.seed.createUser({ username, ...present(rest) });
      return { id: user.id, username };
    },
  ),
  set_user: action(
    "changes a user's state (blocked, deactivated, …) and rights",
    {
      user: who,
      condition: conditions.optional(),
      admin: z.boolean().optional(),
      canCreateGroup: z.boolean().optional(),
    },
    (box, { user: wanted, condition, admin, canCreateGroup }) => {
      const user = findUser(box, wanted);
      user.canCreateGroup = canCreateGroup ?? user.canCreateGroup;
      user.condition = condition ?? user.condition;
      user.admin = admin ?? user.admin;
      return { id: user.id, condition: user.condition, admin: user.admin };
    },
  ),
  create_token: action(
    "makes a personal access token; its value is told in this answer and never again",
    {
      user: who,
      name: name.optional(),
      scopes: z.array(name).min(1).optional(),
      expiresAt: z.iso.date().nullable().optional(),
    },
    (box, { user, ...rest }) => {
      const token = box.seed.createToken({ user: findUser(box, user), ...present(rest) });
      return {
        id: token.id,
        name: token.name,
        scopes: token.scopes,
        expiresAt: token.expiresAt,
        value: token.value,
      };
    },
  ),
  end_token: action(
    "revokes a token or lets it expire, at once or when it has been used so many times more",
    {
      token: z.int().min(1),
      how: z.enum(["revoke", "expire"]),
      after: z.int().min(0).max(1_000_000).optional(),
    },
    ({ state }, { token: id, how, after = 0 }) => {
      const token = [...state.tokens.values()].find((one) => one.id === id);
      if (!token) throw new RangeError(`there is no token ${id}`);
      state.tokenEnds.set(id, { how, after });
      return { id, how, after };
    },
  ),
  create_group: action(
    "makes a group, and the groups above it",
    { path: name, owner: who.optional(), visibility: z.enum(["private", "internal", "public"]).optional() },
    (box, { path, owner, ...rest }) => {
      const given = owner === undefined ? {} : { owner: findUser(box, owner) };
      const group = box.seed.createGroup({ path, ...given, ...present(rest) });
      return { id: group.id, path: group.fullPath };
    },
  ),
  set_member: action(
    "gives a user a role in a project or group, or takes it",
    {
      place: where,
      user: who,
      role: z.enum(["none", "guest", "reporter", "developer", "maintainer", "owner"]),
    },
    (box, { place, user, role }) => {
      const found = findPlace(box, place);
      box.seed.addMember(found, findUser(box, user), LEVELS[role]);
      return { place: found.fullPath, role };
    },
  ),
} as const satisfies Record<string, Action>;

import { groupLevel, LEVEL, levelIn } from "../access.ts";
import { notFound } from "../reply.ts";
import type { Call } from "../route.ts";
import type { ToldToken } from "../seed-people.ts";
import type { Group, Project, Resource, Token, User } from "../state.ts";
import { getGroup } from "./find-group.ts";
import { getProject } from "./find-project.ts";
import { resourceTokenEntity } from "./token-entity.ts";

/** A project or group, and what the caller is in it. */
export interface Holder {
  readonly resource: Resource;
  readonly place: Project | Group;
  readonly level: number;
  /** Maintainers manage the tokens of a project, Owners those of a group. */
  readonly manages: boolean;
}

export function holderOf(call: Call, type: Resource["type"]): Holder {
  const user = call.authenticate();
  const { state } = call.box;
  if (type === "project") {
    const place = getProject(call);
    const level = levelIn(state, user, place);
    return { resource: { type, id: place.id }, place, level, manages: level >= LEVEL.maintainer };
  }
  const place = getGroup(call);
  const level = user.admin ? LEVEL.owner : groupLevel(state, user, place.id);
  return { resource: { type, id: place.id }, place, level, manages: level >= LEVEL.owner };
}

export function botOf(call: Call, { resource }: Holder, token: Token): User | null {
  const bot = call.box.state.users.get(token.userId);
  return bot?.botOf?.type === resource.type && bot.botOf.id === resource.id ? bot : null;
}

export function tokensOf(call: Call, holder: Holder): Token[] {
  return [...call.box.state.tokens.values()].filter((token) => botOf(call, holder, token) !== null);
}

export function getToken(call: Call, holder: Holder, id: string): Token {
  const token = tokensOf(call, holder).find((each) => String(each.id) === id);
  if (token) return token;
  const { type } = holder.resource;
  throw notFound(`Could not find ${type} access token with token_id: ${id}`);
}

/** With its value where it has just been made. */
export function present(call: Call, holder: Holder, token: Token | ToldToken): Record<string, unknown> {
  const bot = botOf(call, holder, token);
  if (!bot) throw recordLost();
  const entity = resourceTokenEntity(call.box, token, bot, holder.place);
  return "value" in token ? { ...entity, token: token.value } : entity;
}

/** Cannot be: a token was found by its bot a moment ago. */
function recordLost(): Error {
  return new Error("the bot of a token is gone");
}

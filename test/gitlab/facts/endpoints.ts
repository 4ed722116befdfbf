import { shapeOf, type Fact } from "./fact.ts";
import { spellingsOf } from "./headings.ts";
import { branches } from "./rules/branches.ts";
import { commits } from "./rules/commits.ts";
import { deployKeys } from "./rules/deploy-keys.ts";
import { deployments } from "./rules/deployments.ts";
import { environments } from "./rules/environments.ts";
import { files } from "./rules/files.ts";
import { groups } from "./rules/groups.ts";
import { hooks } from "./rules/hooks.ts";
import { members } from "./rules/members.ts";
import { mergeRequests } from "./rules/merge-requests.ts";
import { others } from "./rules/others.ts";
import { projectLists } from "./rules/project-lists.ts";
import { projects } from "./rules/projects.ts";
import { repository } from "./rules/repository.ts";
import { sharing } from "./rules/sharing.ts";
import { statuses } from "./rules/statuses.ts";
import { resourceTokens, tokens, user } from "./rules/tokens.ts";
import { PEOPLE } from "./steps.ts";
import type { Endpoint, Step } from "./situation.ts";

const TABLES = [
  branches,
  commits,
  deployKeys,
  deployments,
  environments,
  files,
  groups,
  hooks,
  members,
  mergeRequests,
  others,
  projectLists,
  projects,
  repository,
  resourceTokens,
  sharing,
  statuses,
  tokens,
  user,
];

const BY_SHAPE = new Map<string, Endpoint>(
  TABLES.flatMap((table) =>
    Object.entries(table).map(([name, endpoint]) => [shapeOf(name), endpoint] as const),
  ),
);

/** The steps to a request that is allowed. */
export function baseOf(endpoint: string): readonly Step[] | null {
  return BY_SHAPE.get(shapeOf(endpoint))?.base ?? null;
}

const REFUSALS = new Set([401, 403, 404]);

/** The steps that set a fact up at one of its endpoints; null when no rule knows its words. */
export function stepsFor(fact: Fact, endpoint: string): readonly Step[] | null {
  const known = BY_SHAPE.get(shapeOf(endpoint));
  if (!known) return null;
  const people = PEOPLE.filter(([words]) => words.test(fact.words));
  const own = known.rules.filter(([words]) => words.test(fact.words));
  const isRefusal = fact.status !== null && REFUSALS.has(fact.status);
  if (own.length === 0 && !(isRefusal && people.length > 0)) return null;
  return [...known.base, ...people.flatMap(([, ...steps]) => steps), ...own.flatMap(([, ...steps]) => steps)];
}

/** Rules that no fact matches are mistakes of the table. */
export function idleRules(facts: readonly Fact[]): readonly string[] {
  return [...BY_SHAPE].flatMap(([shape, endpoint]) => {
    const about = facts.filter(
      (fact) => fact.endpoint !== null && spellingsOf(fact.endpoint).map(shapeOf).includes(shape),
    );
    return endpoint.rules
      .filter(([words]) => !about.some((fact) => words.test(fact.words)))
      .map(([words]) => `${shape}: ${words}`);
  });
}

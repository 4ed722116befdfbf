import { existsSync } from "node:fs";
import { expect, test } from "vitest";
import { ROUTES } from "../../src/sandbox/api/routes.ts";
import { sample } from "../support/sample.ts";
import { idleRules, stepsFor } from "./facts/endpoints.ts";
import { problemsOf } from "./facts/expectation.ts";
import { GITLAB, readFacts, servedBy, type Fact } from "./facts/fact.ts";
import { spellingsOf } from "./facts/headings.ts";
import { readListing } from "./facts/listing.ts";
import { ask, openSituation, openWorld, type World } from "./facts/situation.ts";

/** At least this part of the facts whose endpoints the sandbox serves is reproduced in these areas. */
const RATIO = 0.7;
const AREAS = [
  "branches",
  "commits",
  "commit statuses",
  "deploy keys",
  "deployments",
  "environments",
  "files",
  "groups",
  "hooks",
  "members",
  "personal access tokens",
  "projects",
  "repositories",
  "user",
];

const isThere = existsSync(GITLAB);
const facts = isThere ? readFacts() : [];
const isServed = servedBy(ROUTES);
const listing = isThere ? readListing() : {};
const endpointsOf = (fact: Fact): readonly string[] =>
  fact.endpoint === null ? [] : spellingsOf(fact.endpoint).filter(isServed);
const served = facts.filter((fact) => endpointsOf(fact).length > 0);
const reasonOf = (fact: Fact): string | undefined => listing[fact.area]?.[fact.id];
const nameOf = (fact: Fact): string => `${fact.id} ${fact.where} ${fact.endpoint}: ${fact.words}`;

/** Why the sandbox does not do as the fact says; nothing when it does. */
async function tryFact(world: World, fact: Fact): Promise<readonly string[]> {
  const problems: string[] = [];
  for (const endpoint of endpointsOf(fact)) {
    const steps = stepsFor(fact, endpoint);
    if (steps === null) return ["no rule knows these words"];
    problems.push(...(await tryAt(world, fact, endpoint, steps)));
  }
  return problems;
}

async function tryAt(
  world: World,
  fact: Fact,
  endpoint: string,
  steps: NonNullable<ReturnType<typeof stepsFor>>,
): Promise<readonly string[]> {
  try {
    const situation = await openSituation(world, endpoint);
    for (const step of steps) await step(situation);
    const answer = await ask(situation, endpoint);
    const problems = problemsOf(fact, answer.status, answer.body);
    if (problems.length > 0) return problems;
    for (const check of situation.checks) await check(answer, situation);
    return [];
  } catch (error) {
    return [String(error).split("\n").slice(0, 3).join(" ").slice(0, 300)];
  }
}

test.skipIf(!isThere)(
  "GitLab's own facts are reproduced or listed with a reason (skipped without ../shared)",
  async () => {
    await using world = await openWorld();
    const wrong: string[] = [];
    const drawn = new Set(
      sample(
        "facts",
        served.map((fact) => fact.id),
        150,
      ),
    );
    for (const fact of served.filter((one) => drawn.has(one.id))) {
      const reason = reasonOf(fact);
      const problems = await tryFact(world, fact);
      if (problems.length === 0 && reason !== undefined)
        wrong.push(`listed, yet reproduced: ${nameOf(fact)}`);
      if (problems.length > 0 && reason === undefined) wrong.push(`${nameOf(fact)} → ${problems.join("; ")}`);
    }
    expect(wrong).toEqual([]);
  },
  300_000,
);

test.skipIf(!isThere)("at least 70 % of the facts are reproduced (skipped without ../shared)", () => {
  const rows = [...new Set(facts.map((fact) => fact.area))].sort().map((area) => {
    const all = facts.filter((fact) => fact.area === area);
    const ours = served.filter((fact) => fact.area === area);
    const listed = ours.filter((fact) => reasonOf(fact) !== undefined).length;
    return { area, reproduced: ours.length - listed, listed, served: ours.length, total: all.length };
  });
  console.table(rows);
  const judged = rows.filter((row) => AREAS.includes(row.area));
  const sum = (name: "reproduced" | "served"): number => judged.reduce((total, row) => total + row[name], 0);
  console.log(`facts of the judged areas: ${sum("reproduced")} of ${sum("served")} reproduced`);
  expect(sum("reproduced") / sum("served")).toBeGreaterThanOrEqual(RATIO);
});

test.skipIf(!isThere)(
  "the listing names facts that are, and every rule is used (skipped without ../shared)",
  () => {
    const known = new Map(facts.map((fact) => [fact.id, fact]));
    const strange = Object.entries(listing).flatMap(([area, entries]) =>
      Object.keys(entries).filter((id) => known.get(id)?.area !== area),
    );
    expect({ strange, idle: idleRules(facts) }).toEqual({ strange: [], idle: [] });
  },
);

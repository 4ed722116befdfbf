import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { constantFrom, sample as draw, string } from "fast-check";
import { expect, test } from "vitest";
import { ROUTES } from "../../src/sandbox/api/routes.ts";
import { sample } from "../support/sample.ts";
import { baseOf } from "./facts/endpoints.ts";
import { GITLAB, servedBy } from "./facts/fact.ts";
import { ask, openSituation, openWorld, type Situation, type World } from "./facts/situation.ts";
import { readParameters, type Parameter } from "./openapi/operations.ts";

/** A request that one parameter makes forbidden or leaves allowed. */
interface Case {
  readonly parameter: Parameter;
  readonly how: "missing" | "wrong" | "allowed";
}

const isThere = existsSync(GITLAB);
const isServed = servedBy(ROUTES);
const parameters = isThere
  ? readParameters().filter(({ endpoint }) => isServed(endpoint) && baseOf(endpoint) !== null)
  : [];
const cases: readonly Case[] = parameters.flatMap((parameter) => [
  ...(parameter.isRequired ? [{ parameter, how: "missing" as const }] : []),
  ...(parameter.type === "other"
    ? []
    : [
        { parameter, how: "wrong" as const },
        { parameter, how: "allowed" as const },
      ]),
]);
/** Cases that the sandbox does not judge as GitLab does, and why. */
const listing: Readonly<Record<string, string>> = JSON.parse(
  readFileSync(join(import.meta.dirname, "openapi/listing.json"), "utf8"),
);
const listed = new Set(Object.keys(listing));

const nameOf = ({ parameter, how }: Case): string => `${parameter.endpoint} ${parameter.name} ${how}`;

/** Neither a whole number nor any spelling of a Boolean, and no value of the enumeration. */
function wrongValue(parameter: Parameter, seed: number): string {
  const words = string({
    minLength: 3,
    maxLength: 12,
    unit: constantFrom("b", "c", "d", "g", "h", "j", "k"),
  });
  const wrong = words.filter((word) => !parameter.values.includes(word));
  return draw(wrong, { seed, numRuns: 1 })[0] ?? "";
}

function rightValue(parameter: Parameter, seed: number): string | number | boolean {
  if (parameter.values.length > 0) return parameter.values[seed % parameter.values.length] ?? "";
  if (parameter.type === "integer") return 1 + (seed % 9);
  return seed % 2 === 0;
}

async function openAllowed(world: World, endpoint: string): Promise<Situation> {
  const situation = await openSituation(world, endpoint);
  for (const step of baseOf(endpoint) ?? []) await step(situation);
  situation.actor = "admin";
  return situation;
}

/** What is refused changes nothing, so that those cases of an endpoint share one situation. */
async function situationOf(
  world: World,
  { parameter: { endpoint }, how }: Case,
  known: Map<string, Situation>,
): Promise<Situation> {
  if (how === "allowed" && !endpoint.startsWith("GET ")) return openAllowed(world, endpoint);
  const shared = known.get(endpoint) ?? (await openAllowed(world, endpoint));
  known.set(endpoint, shared);
  return { ...shared, query: { ...shared.query } };
}

async function tryCase(
  world: World,
  one: Case,
  known: Map<string, Situation>,
  seed: number,
): Promise<readonly string[]> {
  const { parameter, how } = one;
  const situation = await situationOf(world, one, known);
  if (how === "missing") remove(situation, parameter);
  else put(situation, parameter, how === "wrong" ? wrongValue(parameter, seed) : rightValue(parameter, seed));
  const { status, body } = await ask(situation, parameter.endpoint);
  const error = String(Object(body).error ?? "");
  const said = error.split(", ").filter((part) => part.startsWith(`${parameter.name} `));
  if (how === "allowed") return said;
  const verdict =
    how === "missing"
      ? "is missing"
      : parameter.type === "enum"
        ? "does not have a valid value"
        : "is invalid";
  const expected = `${parameter.name} ${verdict}`;
  return status === 400 && said.includes(expected)
    ? []
    : [`${status} ${JSON.stringify(body)}, not ${expected}`.slice(0, 160)];
}

function remove(situation: Situation, { place, name }: Parameter): void {
  if (place === "query") delete situation.query[name];
  if (situation.body !== undefined)
    situation.body = Object.fromEntries(
      Object.entries(Object(situation.body)).filter(([key]) => key !== name),
    );
}

function put(situation: Situation, { place, name }: Parameter, value: string | number | boolean): void {
  if (place === "query") situation.query[name] = value;
  else situation.body = { ...Object(situation.body), [name]: value };
}

test.skipIf(!isThere)(
  "what GitLab's OpenAPI forbids is refused in GitLab's words (skipped without ../shared)",
  async () => {
    await using world = await openWorld();
    const wrong: string[] = [];
    const known = new Map<string, Situation>();
    const drawn = new Set(sample("parameters", cases.map(nameOf), 120));
    for (const [seed, one] of cases.entries()) {
      if (!drawn.has(nameOf(one))) continue;
      const problems = await tryCase(world, one, known, seed).catch((error: unknown) => [String(error)]);
      const isListed = listed.has(nameOf(one));
      if (problems.length === 0 && isListed) wrong.push(`listed, yet as GitLab: ${nameOf(one)}`);
      if (problems.length > 0 && !isListed) wrong.push(`${nameOf(one)} → ${problems.join("; ")}`);
    }
    console.log(`parameters: ${cases.length - listed.size} of ${cases.length} cases are as GitLab's`);
    expect(wrong).toEqual([]);
  },
  300_000,
);

test.skipIf(!isThere)("the listing names cases that are (skipped without ../shared)", () => {
  const known = new Set(cases.map(nameOf));
  expect([...listed].filter((name) => !known.has(name))).toEqual([]);
});

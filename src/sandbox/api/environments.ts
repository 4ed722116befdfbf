import { LEVEL } from "../access.ts";
import { environmentsOf, insertEnvironment, problemsOfEnvironment, urlProblems } from "../environments.ts";
import { dateTime, flag, integer, oneOf, text } from "../params.ts";
import { paged } from "../paging.ts";
import {
  badRequest,
  created,
  forbidden,
  noContent,
  ok,
  recordNotFound,
  refuse,
  refuseAsError,
  type Reply,
} from "../reply.ts";
import { route, type Call, type Route } from "../route.ts";
import { checkUnmodified } from "../unmodified.ts";
import type { Project } from "../state.ts";
import { TIERS, type Environment } from "../work-rows.ts";
import { environmentEntity } from "./environment-entity.ts";
import { getProjectAs } from "./find-project.ts";

const path = "/projects/:id/environments";
const one = `${path}/:environment_id`;
const single = { environment_id: integer };

const FIELDS = {
  external_url: text.optional(),
  slug: text.optional(),
  tier: oneOf(TIERS).optional(),
  description: text.optional(),
  auto_stop_setting: oneOf(["always", "with_action"]).optional(),
};

export const environmentRoutes: readonly Route[] = [
  route({
    method: "GET",
    path,
    params: {
      name: text.optional(),
      search: text.optional(),
      states: oneOf(["available", "stopping", "stopped"]).optional(),
    },
    rules: { mutuallyExclusive: [["name", "search"]] },
    handle: (call, given) => {
      const project = getProjectAs(call, LEVEL.reporter);
      if (given.search !== undefined && given.search.length < 3) {
        throw badRequest("Search query is less than 3 characters");
      }
      const rows = environmentsOf(call.box.state, project).filter(
        (row) =>
          row.name === (given.name ?? row.name) &&
          row.state === (given.states ?? row.state) &&
          row.name.toLowerCase().includes((given.search ?? "").toLowerCase()),
      );
      return paged(call, rows, (row) => environmentEntity(call.box, row, "list"));
    },
  }),
  route({ method: "POST", path, params: { name: text, ...FIELDS }, handle: createEnvironment }),
  route({
    method: "POST",
    path: `${path}/stop_stale`,
    params: { before: dateTime },
    handle: (call, { before }) => stopStale(call, before),
  }),
  route({
    method: "GET",
    path: one,
    params: single,
    handle: (call, { environment_id }) =>
      ok(environmentEntity(call.box, getEnvironment(call, environment_id, LEVEL.reporter), "single")),
  }),
  route({ method: "PUT", path: one, params: { ...single, ...FIELDS }, handle: updateEnvironment }),
  route({
    method: "POST",
    path: `${one}/stop`,
    params: { ...single, force: flag.optional() },
    handle: (call, { environment_id }) => {
      const row = getEnvironment(call, environment_id, LEVEL.developer);
      Object.assign(row, { state: "stopped", updatedAt: call.box.state.now() });
      return ok(environmentEntity(call.box, row, "single"));
    },
  }),
  route({
    method: "DELETE",
    path: one,
    params: single,
    handle: (call, { environment_id }) => {
      const row = getEnvironment(call, environment_id, LEVEL.developer);
      if (row.state !== "stopped") throw forbidden();
      checkUnmodified(call, row.updatedAt);
      call.box.state.environments.delete(row.id);
      return noContent();
    },
  }),
];

/** Who changes something needs a project that is not archived. */
export function getDeployable(call: Call, level: number): Project {
  const project = getProjectAs(call, level);
  if (level > LEVEL.reporter && project.archived) throw forbidden();
  return project;
}

function getEnvironment(call: Call, id: number, level: number): Environment {
  const project = getDeployable(call, level);
  const row = environmentsOf(call.box.state, project).find((candidate) => candidate.id === id);
  if (!row) throw recordNotFound();
  return row;
}

interface Given {
  readonly external_url?: string | undefined;
  readonly slug?: string | undefined;
  readonly tier?: Environment["tier"] | undefined;
  readonly description?: string | undefined;
  readonly auto_stop_setting?: Environment["autoStopSetting"] | undefined;
}

function refuseSlug(given: Given): void {
  if (given.slug !== undefined)
    throw refuseAsError(400, "slug is automatically generated and cannot be changed");
}

function createEnvironment(call: Call, given: Given & { readonly name: string }): Reply {
  refuseSlug(given);
  const project = getDeployable(call, LEVEL.developer);
  const { state, version } = call.box;
  const wanted = {
    name: given.name,
    externalUrl: given.external_url,
    description: given.description,
    tier: given.tier,
    autoStopSetting: given.auto_stop_setting,
  };
  const problems = problemsOfEnvironment(state, project, wanted);
  if (Object.keys(problems).length > 0) {
    throw refuse(400, version.has("environmentErrorsAsList") ? sentences(problems) : problems);
  }
  return created(environmentEntity(call.box, insertEnvironment(state, project, wanted), "single"));
}

/** `Name has already been taken`; of the slug, which nobody chose, nothing is said. */
function sentences(problems: Readonly<Record<string, readonly string[]>>): string[] {
  return Object.entries(problems)
    .filter(([field]) => field !== "slug")
    .flatMap(([field, words]) => {
      const name = field.replaceAll("_", " ").replace(/^./, (first) => first.toUpperCase());
      return words.map((word) => `${name} ${word}`);
    });
}

function updateEnvironment(call: Call, given: Given & { readonly environment_id: number }): Reply {
  refuseSlug(given);
  const row = getEnvironment(call, given.environment_id, LEVEL.developer);
  const problems = urlProblems(given.external_url);
  if (problems.length > 0) throw refuse(400, { external_url: problems });
  row.externalUrl = given.external_url === undefined ? row.externalUrl : given.external_url || null;
  row.description = given.description ?? row.description;
  row.tier = given.tier ?? row.tier;
  row.autoStopSetting = given.auto_stop_setting ?? row.autoStopSetting;
  row.updatedAt = call.box.state.now();
  return ok(environmentEntity(call.box, row, "single"));
}

/** Stops what was not deployed to since; between ten years and a week ago. */
function stopStale(call: Call, before: string): Reply {
  const project = getDeployable(call, LEVEL.maintainer);
  const { state } = call.box;
  const day = 24 * 60 * 60_000;
  const at = Date.parse(before);
  if (at > state.clock.now() - 7 * day || at < state.clock.now() - 3652 * day)
    throw badRequest("Invalid Date");
  for (const row of environmentsOf(state, project)) {
    if (row.state === "available" && Date.parse(row.updatedAt) < at) row.state = "stopped";
  }
  return ok({ message: "Successfully requested stop for all stale environments" });
}

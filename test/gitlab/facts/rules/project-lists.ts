import { expect } from "vitest";
import { as, check, given, none, query, some } from "../steps.ts";
import type { Actor, Endpoints, Json, Rule, Situation, Step, QuickStep } from "../situation.ts";

const HOUR = 3_600_000;
const at = (offset: number): string => new Date(Date.now() + offset).toISOString();

/** A second project of the asker's, and one that is archived. */
const another: Step = async (situation) => {
  const { world } = situation;
  const { state } = world.scene.sandbox;
  await state.createProject({ path: world.fresh("another"), owner: world.userOf("owner") });
  const archived = await state.createProject({ path: world.fresh("archived"), owner: world.userOf("owner") });
  archived.archived = true;
};

const every = (what: string, holds: (row: Json, situation: Situation) => boolean): QuickStep =>
  check((rows, situation) => {
    expect(rows.length).toBeGreaterThan(0);
    const wrong = rows
      .filter((row: Json) => !holds(row, situation))
      .map((row: Json) => row.path_with_namespace);
    expect(wrong, `projects that are not ${what}`).toEqual([]);
  });

const field = (name: string): Step => every(`with ${name}`, (row) => name in row);
const noField = (name: string): Step => every(`without ${name}`, (row) => !(name in row));

function visible(as: "private" | "internal" | "public"): Step {
  return async (situation) => {
    situation.project.visibility = as;
    query({ visibility: as })(situation);
    every(as, (row) => row.visibility === as)(situation);
  };
}

function ordered(by: (row: Json) => number | string, sort: 1 | -1): Step {
  return check((rows) => {
    const values = rows.map(by);
    const sorted = [...values].sort((a, b) => (a < b ? -sort : a > b ? sort : 0));
    expect(values).toEqual(sorted);
  });
}

const link =
  (pattern: RegExp): Step =>
  ({ checks }) => {
    checks.push(({ headers }) => expect(headers.get("link") ?? "").toMatch(pattern));
  };

const searched: Step = (situation) => query({ search: situation.project.path })(situation);
const found: Step = check((rows, { project }) =>
  expect(rows.map((row: Json) => row.id)).toEqual([project.id]),
);

const RANGES: readonly Rule[] = [
  [
    /id_after filter given/,
    given((s: Situation) => query({ id_after: s.project.id - 1 })(s)),
    every("after", (row, s) => row.id >= s.project.id),
  ],
  [/without a id_after|without a id_before/, some],
  [
    /id_before filter given/,
    given((s: Situation) => query({ id_before: s.project.id + 1 })(s)),
    every("before", (row, s) => row.id <= s.project.id),
  ],
  [
    /id matching the range/,
    given((s: Situation) => query({ id_after: s.project.id - 1, id_before: s.project.id + 1 })(s)),
    found,
  ],
  [/updated on the given timeframe/, query({ updated_after: at(-HOUR), updated_before: at(HOUR) }), some],
  [/by minimal access level/, query({ min_access_level: 40 }), some],
];

const keyset = (values: Readonly<Record<string, string | number>>): Step =>
  query({ pagination: "keyset", per_page: 1, order_by: "id", ...values });

function userOf(actor: Exclude<Actor, null>): Step {
  return ({ world, path }) => {
    path["user_id"] = world.userOf(actor).id;
  };
}

const USER_NOT_FOUND: Rule = [/user not found/, ({ path }) => void (path["user_id"] = 99_999)];

export const projectLists: Endpoints = {
  "GET /projects": {
    base: [another],
    rules: [
      [/returns an array of projects$/, some],
      [/returns no projects$/, as(null), query({ search: "nothing-like-this" }), none],
      [/for a single topic/, topics("ruby"), query({ topic: "ruby" }), found],
      [/for multiple topics/, topics("ruby", "javascript"), query({ topic: "ruby,javascript" }), found],
      [/match only some topic/, topics("ruby"), query({ topic: "ruby,unheard-of" }), none],
      [/topic if it is empty/, query({ topic: "" }), some],
      [/active is true/, query({ active: true }), every("active", (row) => !row.archived)],
      [/active is false/, query({ active: false }), every("inactive", (row) => row.archived)],
      [/project feature fields/, field("issues_enabled"), field("merge_requests_access_level")],
      [/correct group access/, searched, as("developer"), query({ membership: true }), found],
      [/container_registry_enabled/, field("container_registry_enabled")],
      [/includes project topics/, field("topics")],
      [/includes open_issues_count$/, searched, field("open_issues_count")],
      [/not include open_issues_count if issues/, searched, issues(false), noField("open_issues_count")],
      [/with_issues_enabled=true/, query({ with_issues_enabled: true }), some],
      [/not include statistics by default/, noField("statistics")],
      [/includes statistics if requested/, query({ statistics: true }), field("statistics")],
      [/license by default/, noField("license")],
      [/license if requested/, query({ license: true }), noField("license")],
      [/simple=true/, query({ simple: true }), noField("_links"), field("readme_url")],
      [/returns archived projects/, query({ archived: true }), every("archived", (row) => row.archived)],
      [/non-archived projects/, query({ archived: false }), every("not archived", (row) => !row.archived)],
      [/returns every project/, some],
      [
        /sorted by updated_at/,
        query({ order_by: "updated_at", sort: "desc", updated_after: at(-HOUR) }),
        ordered((row) => row.updated_at, -1),
      ],
      [/sorting by a different column/, query({ updated_after: at(-HOUR), order_by: "id" })],
      [/private visibility/, visible("private")],
      [/internal visibility/, visible("internal")],
      [/public visibility/, visible("public")],
      [/programming language/, query({ with_programming_language: "javascript" })],
      [/when sorted by id/, query({ order_by: "id", sort: "asc" }), ordered((row) => row.id, 1)],
      [
        /projects the user owns/,
        query({ owned: true }),
        every("owned", (row) => row.namespace.path === "the-owner"),
      ],
      [/owned project for admin/, as("admin"), query({ owned: true }), none],
      [/starred projects viewable/, starred(), query({ starred: true }), found],
      [
        /owned filter > .*all query parameters/,
        searched,
        query({ visibility: "private", owned: true }),
        found,
      ],
      [
        /membership filter > .*all query parameters/,
        searched,
        query({ visibility: "private", membership: true }),
        found,
      ],
      [/at least developer access/, as("developer"), query({ min_access_level: 30 }), some],
      [/only imported projects/, query({ imported: true }), none],
      [
        /private issue projects/,
        given((s) => {
          s.checks.length = 0;
        }),
        as("stranger"),
        query({ with_issues_enabled: true }),
        searched,
        none,
      ],
      [/missing owner/, as("admin"), some],
      [/orders by id desc/, ordered((row) => row.id, -1)],
      [
        /order_by=star_count/,
        query({ order_by: "star_count", sort: "desc" }),
        ordered((row) => row.star_count, -1),
      ],
      [/admin user > .*ascendingly/, as("admin"), query({ order_by: "repository_size", sort: "asc" }), some],
      [
        /admin user > .*descendingly/,
        as("admin"),
        query({ order_by: "repository_size", sort: "desc" }),
        some,
      ],
      [
        /returns projects ordered normally/,
        query({ order_by: "repository_size" }),
        ordered((row) => row.id, -1),
      ],
      [/non-public items based/, searched, query({ order_by: "similarity" }), found],
      [/similarity > when `search`/, query({ order_by: "similarity" }), ordered((row) => row.id, -1)],
      [
        /similarity > when called anonymously/,
        as(null),
        query({ order_by: "similarity", search: "project" }),
      ],
      [/deletion on the specified date/, query({ marked_for_deletion_on: "2020-01-01" }), none],
      [/when marked_for_deletion_on is not/, some],
      [
        /only the first project/,
        keyset({ sort: "asc" }),
        link(/id_after=\d+.*rel="next"/),
        check((rows) => expect(rows).toHaveLength(1)),
      ],
      [/empty array when the page/, keyset({ sort: "asc", id_after: 9_999_999 }), none],
      [/order_by is different from id/, keyset({ order_by: "created_at" })],
      [
        /only the last project/,
        keyset({ sort: "desc" }),
        link(/id_before=\d+.*rel="next"/),
        check((rows) => expect(rows).toHaveLength(1)),
      ],
      [/user requests pending_delete projects > does not/, query({ include_pending_delete: true }), some],
      [/user is an admin > returns projects/, as("admin"), query({ include_pending_delete: true }), some],
    ],
  },
  "GET /users/:user_id/projects": {
    base: [userOf("owner")],
    rules: [
      USER_NOT_FOUND,
      ...RANGES,
      [/filtered by user id/, some],
      [/container_registry_access_level/, field("container_registry_access_level")],
      [/by username/, given(({ path }) => void (path["user_id"] = "the-owner")), some],
      [/authenticated as admin/, as("admin"), some],
    ],
  },
  "GET /users/:user_id/starred_projects": {
    base: [userOf("owner"), starred()],
    rules: [USER_NOT_FOUND, [/filtered by user/, some]],
  },
  "GET /users/:user_id/contributed_projects": {
    base: [userOf("owner")],
    rules: [USER_NOT_FOUND, [/filtered by user/, some]],
  },
};

function topics(...names: readonly string[]): Step {
  return async ({ api, project }) => {
    await api("PUT", `/projects/${project.id}`, { topics: names });
  };
}

function issues(enabled: boolean): Step {
  return async ({ api, project }) => {
    await api("PUT", `/projects/${project.id}`, { issues_access_level: enabled ? "enabled" : "disabled" });
  };
}

function starred(): Step {
  return async ({ world, project }) => {
    await world.scene.call("POST", `/projects/${project.id}/star`, {}, world.tokenOf("owner"));
  };
}

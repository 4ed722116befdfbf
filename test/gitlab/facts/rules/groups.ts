import { expect } from "vitest";
import { answers, as, check, given, none, only, path, query, send, some } from "../steps.ts";
import type { Endpoints, Json, Rule, Situation, Step, QuickStep } from "../situation.ts";

const ONE = "/groups/:id";
const NOT_FOUND: Rule = [/non existing|non-existent/, path({ id: 99_999_999 })];

const fresh: Step = (situation) => {
  const name = situation.world.fresh("new-group");
  send({ name, path: name })(situation);
};

const made =
  (visibility: "private" | "internal" | "public"): Step =>
  ({ world }) => {
    const { state } = world.scene.sandbox;
    state.createGroup({ path: world.fresh(visibility), owner: world.userOf("owner"), visibility });
  };

const every = (what: string, holds: (row: Json, situation: Situation) => boolean): QuickStep =>
  check((rows, situation) => {
    expect(rows.length).toBeGreaterThan(0);
    const wrong = rows.filter((row: Json) => !holds(row, situation)).map((row: Json) => row.full_path);
    expect(wrong, `rows that are not ${what}`).toEqual([]);
  });

const without = (name: string): Step => every(`without ${name}`, (row) => !(name in row));
const having = (name: string): Step => every(`with ${name}`, (row) => name in row);
const has = (name: string): Step => check((body) => expect(body).toHaveProperty(name));
const hasNot = (name: string): Step => check((body) => expect(body).not.toHaveProperty(name));

const visible = (as: "private" | "internal" | "public"): readonly Step[] => [
  made(as),
  query({ visibility: as }),
  every(as, (row) => row.visibility === as),
];

function sorted(order_by: string, sort: "asc" | "desc"): readonly Step[] {
  const sign = sort === "asc" ? 1 : -1;
  const look = check((rows) => {
    const values = rows.map((row: Json) => row[order_by]);
    expect(values).toEqual([...values].sort((a, b) => (a < b ? -sign : a > b ? sign : 0)));
  });
  return [query({ order_by, sort }), look];
}

/** A public group with a public and a private one below. */
function family(visibility: "private" | "public"): Step {
  return (situation) => {
    const { world } = situation;
    const { state } = world.scene.sandbox;
    const owner = world.userOf("owner");
    const group = state.createGroup({ path: world.fresh("family"), owner, visibility });
    state.createGroup({ path: `${group.fullPath}/open`, owner, visibility });
    state.createGroup({ path: `${group.fullPath}/closed`, owner, visibility: "private" });
    situation.path["id"] = group.id;
  };
}

const paths = (...expected: readonly string[]): Step =>
  check((rows) => expect(rows.map((row: Json) => row.path).sort()).toEqual([...expected].sort()));

const below: readonly Rule[] = [
  [
    /unauthenticated > returns only public|when statistics are requested/,
    family("public"),
    as(null),
    query({ statistics: true }),
    paths("open"),
    without("statistics"),
  ],
  [/404 for (a|the) private group/, family("private"), as("stranger")],
  [/unauthenticated > returns 404/, as(null)],
  [/for the public group/, family("public"), as("stranger"), paths("open")],
  [
    /returns public (subgroups|descendants)/,
    family("public"),
    as("stranger"),
    query({ all_available: true }),
    paths("open"),
  ],
  [/member of public group/, family("public"), as("owner"), paths("open", "closed")],
  [/member of private group/, family("private"), as("owner"), paths("open", "closed")],
  [/using statistics in request/, query({ statistics: true }), without("statistics")],
  [/private (subgroups|descendants) of a public/, family("public"), as("admin"), paths("open", "closed")],
  [/(subgroups|descendants) of a private group/, family("private"), as("admin"), paths("open", "closed")],
  [/statistics by default/, family("public"), as("admin"), without("statistics")],
  [
    /statistics if requested/,
    family("public"),
    as("admin"),
    query({ statistics: true }),
    having("statistics"),
  ],
];

const inGroup: Step = async ({ world, group }) => {
  const { state } = world.scene.sandbox;
  const owner = world.userOf("owner");
  await state.createProject({ path: `${group.fullPath}/one`, owner });
  const old = await state.createProject({ path: `${group.fullPath}/old`, owner });
  old.archived = true;
  await state.createProject({ path: `${group.fullPath}/below/deep`, owner });
};

const byPath: Step = ({ path: parts, group }) => {
  parts["id"] = group.fullPath;
};

const openGroup: Step = (situation) => {
  const { world } = situation;
  const owner = world.userOf("owner");
  const group = world.scene.sandbox.state.createGroup({
    path: world.fresh("open"),
    owner,
    visibility: "public",
  });
  situation.path["id"] = group.id;
};

export const groups: Endpoints = {
  "GET /groups": {
    base: [],
    rules: [
      [
        /returns public groups/,
        as(null),
        made("public"),
        every("public", (row) => row.visibility === "public"),
      ],
      [
        /statistics are requested/,
        as(null),
        made("public"),
        query({ statistics: true }),
        without("statistics"),
      ],
      [
        /all_available is false/,
        as("admin"),
        withAdmin,
        query({ all_available: false, statistics: true }),
        having("statistics"),
      ],
      [/normal user: returns/, some],
      [/runners_token/, without("runners_token")],
      [/not include statistics/, without("statistics")],
      [/includes statistics if/, as("admin"), query({ statistics: true }), having("statistics")],
      [/created_at timestamp/, having("created_at")],
      [/private visibility/, ...visible("private")],
      [/internal visibility/, ...visible("internal")],
      [/public visibility/, ...visible("public")],
      [/no visibility param/, some],
      [/unknown visibility/, query({ visibility: "something" })],
      [/paginates the records/, as(null), query({ page: 1, per_page: 1 }), made("public")],
      [/admin: returns an array/, as("admin"), some],
      [
        /skip_groups/,
        given((s) => query({ "skip_groups[]": s.group.id })(s)),
        every("another", (row, s) => row.id !== s.group.id),
      ],
      [/all_available in request/, query({ all_available: true }), some],
      [
        /top_level_only/,
        query({ top_level_only: true }),
        every("at the top", (row) => row.parent_id === null),
      ],
      [/sorts by name ascending/, ...sorted("name", "asc")],
      [/sorts in descending/, ...sorted("name", "desc")],
      [/sorts by path/, ...sorted("path", "asc")],
      [/sorts by id/, ...sorted("id", "asc")],
      [/descending id with/, ...sorted("id", "desc"), query({ page: 1, per_page: 1 })],
      [/sorts identical keys/, query({ order_by: "name" }), some],
      [/sorts descending identical/, query({ order_by: "name", sort: "desc" }), some],
      [/exact matches first/, query({ order_by: "similarity", search: "group" }), some],
      [/ordered by name/, query({ order_by: "similarity" }), some],
      [/owned in the request/, query({ owned: true }), some],
      [/min_access_level/, query({ min_access_level: 40 }), some],
      [
        /full path matching/,
        given((s) => query({ search: s.group.fullPath })(s)),
        every("found", (row, s) => row.id === s.group.id),
      ],
    ],
  },
  [`GET ${ONE}`]: {
    base: [],
    rules: [
      [/404 for a private group/, as(null)],
      [/200 for a public group/, openGroup, as(null)],
      [/returns one of user1|any existing group/, check((body) => expect(body.full_path).toBeDefined())],
      [/user > doesn/, as("guest"), hasNot("runners_token")],
      [/runners_token if the user|information of the runners_token/, has("runners_token")],
      [/with_projects option/, as("admin"), query({ with_projects: false }), hasNot("projects")],
      [/group path in URL/, byPath],
      NOT_FOUND,
      [/group path in URL > .*non existing/, path({ id: "unknown" })],
      [
        /ai_workflows scope/,
        (s) =>
          void (s.token = s.world.scene.tokenWith({
            user: s.world.userOf("owner"),
            scopes: ["ai_workflows"],
          })),
      ],
      [/shared_runners_setting/, check((body) => expect(body.shared_runners_setting).toBe("enabled"))],
    ],
  },
  [`PUT ${ONE}`]: {
    base: [],
    rules: [
      [/> updates the group/, send({ name: "new name", description: "d" }), answers({ description: "d" })],
      [/malicious group name/, send({ name: "<SCRIPT>alert('ATTACK!')</SCRIPT>" })],
      [/404 for a non existing/, path({ id: 99_999_999 }), send({ name: "n" })],
      [/can see the group/, as("developer"), send({ name: "n" })],
      [/cannot see the group/, as("stranger"), send({ name: "n" })],
    ],
  },
  [`GET ${ONE}/projects`]: {
    base: [inGroup],
    rules: [
      [/user > returns the group$|any existing group/, some],
      [/archived/, some],
      [/active is true/, query({ active: true }), every("active", (row) => !row.archived)],
      [/active is false/, query({ active: false }), every("inactive", (row) => row.archived)],
      [/active is not provided/, some],
      [/based ordered by similarity/, query({ order_by: "similarity", search: "one" }), paths("one")],
      [/ordered by name/, query({ order_by: "similarity" }), some],
      [/star_count/, query({ order_by: "star_count" }), some],
      [/filters the groups projects/, query({ search: "one" }), paths("one")],
      [/excluding shared/, query({ with_shared: false }), some],
      [/those in subgroups/, query({ include_subgroups: true }), paths("one", "old", "deep")],
      [/ancestors groups/, query({ include_ancestor_groups: true }), some],
      NOT_FOUND,
      [/to which user has access/, as("developer"), some],
      [/owned by user/, query({ owned: true }), some],
      [/starred by user/, query({ starred: true }), none],
      [/group path in URL/, byPath],
      [/group path in URL > .*non existing/, path({ id: "unknown" })],
    ],
  },
  [`GET ${ONE}/subgroups`]: { base: [], rules: below },
  [`GET ${ONE}/descendant_groups`]: { base: [], rules: below },
  "POST /groups": {
    base: [fresh],
    rules: [
      [/without group permissions > does not/, given(noGroups)],
      [/can create subgroups/, given((s) => send({ parent_id: s.group.id })(s))],
      [/> creates group$/, answers({ visibility: "private" })],
      [/nested group$/, given((s) => send({ parent_id: s.group.id })(s))],
      [/malicious group name/, send({ name: "<SCRIPT>alert('ATTACK!')</SCRIPT>" })],
      [/duplicate/, given((s) => send({ path: s.group.path })(s))],
      [/name not given/, only({ path: "only-a-path" })],
      [/path not given/, only({ name: "only a name" })],
    ],
  },
  [`DELETE ${ONE}`]: {
    base: [],
    rules: [[/marks group for delayed/, given(() => {})]],
  },
  [`POST ${ONE}/archive`]: { base: [], rules: [[/non-owner/, as("developer")]] },
  [`POST ${ONE}/unarchive`]: {
    base: [],
    rules: [
      [/already unarchived/, as("owner")],
      [/non-owner/, as("developer")],
    ],
  },
};

function withAdmin({ world, group }: Situation): void {
  world.scene.sandbox.state.addMember(group, world.userOf("admin"), 50);
}

function noGroups(situation: Situation): void {
  const { world } = situation;
  const { state } = world.scene.sandbox;
  const user = state.createUser({ username: world.fresh("person") });
  Object.assign(user, { canCreateGroup: false });
  situation.token = state.createToken({ user }).value;
}

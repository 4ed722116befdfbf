import { expect } from "vitest";
import { answers, as, check, given, NOWHERE, only, path, query, send, some, without } from "../steps.ts";
import type { Actor, Endpoint, Endpoints, Situation, Step } from "../situation.ts";

const PAST = new Date(Date.now() - 2 * 86_400_000).toISOString().slice(0, 10);
const FUTURE = "2099-01-01";

function person(actor: Exclude<Actor, null>): Step {
  return ({ world, path: parts }) => {
    parts["user_id"] = world.userOf(actor).id;
  };
}

/** Adds whoever has no part in the place yet. */
const newcomer: Step = (situation) => send({ user_id: situation.world.userOf("stranger").id })(situation);
const byName: Step = (situation) => {
  without("user_id")(situation);
  send({ username: "the-stranger" })(situation);
};
const several: Step = (situation) => {
  const { world } = situation;
  const { state } = world.scene.sandbox;
  const made = [1, 2].map(() => state.createUser({ username: world.fresh("person") }));
  send({ user_id: made.map((user) => user.id).join(",") })(situation);
};
const severalNames: Step = (situation) => {
  const { world } = situation;
  const { state } = world.scene.sandbox;
  const made = [1, 2].map(() => state.createUser({ username: world.fresh("person") }));
  without("user_id")(situation);
  send({ username: made.map((user) => user.username).join(",") })(situation);
};
const removed: Step = ({ checks }) => {
  checks.push((_answer, { project, group, path: parts }) => {
    const place = parts["id"] === group.id ? group : project;
    expect(place.members.has(Number(parts["user_id"]))).toBe(false);
  });
};
const subgroup: Step = (situation) => {
  const { state } = situation.world.scene.sandbox;
  const path = `${situation.group.fullPath}/sub`;
  const made = state.createGroup({ path, owner: situation.world.userOf("owner") });
  state.addMember(made, situation.world.userOf("stranger"), 30);
  situation.actor = "stranger";
};

const list: Endpoint = {
  base: [],
  rules: [
    [/> returns 200/, some],
    [
      /finds members with query string/,
      query({ query: "the-dev" }),
      check(([row]) => expect(row.username).toBe("the-developer")),
    ],
    [
      /given user_ids/,
      given((s: Situation) => query({ "user_ids[]": s.world.userOf("guest").id })(s)),
      check((rows) => expect(rows).toHaveLength(1)),
    ],
    [/no query specified/, query({ query: "" }), some],
    [/does not return invitees/, some],
  ],
};

const add: Endpoint = {
  base: [newcomer, send({ access_level: 30 })],
  rules: [
    [/creates a new member/, answers({ access_level: 30, username: "the-stranger" })],
    [/multiple user_ids/, several],
    [/multiple usernames/, severalNames],
    [/date in the past/, send({ expires_at: PAST })],
    [/date in the future/, send({ expires_at: FUTURE }), answers({ expires_at: FUTURE })],
    [/member already exists/, given((s: Situation) => send({ user_id: s.world.userOf("developer").id })(s))],
    [/user_id is not valid/, send({ user_id: NOWHERE })],
    [/user_id is not given/, without("user_id")],
    [/access_level is not given/, without("access_level")],
    [/access_level is not valid/, send({ access_level: 1234 })],
  ],
};

const addToProject: Endpoint = {
  base: add.base,
  rules: [
    ...add.rules,
    [/adding by username/, byName],
    [/user_id is also provided/, send({ username: "the-stranger" })],
    [/user_id and username is missing/, without("user_id")],
  ],
};

const change: Endpoint = {
  base: [person("developer"), send({ access_level: 20 })],
  rules: [
    [/updates the member/, answers({ access_level: 20 })],
    [/date in the past/, send({ expires_at: PAST })],
    [/date in the future/, send({ expires_at: FUTURE }), answers({ expires_at: FUTURE })],
    [/member does not exist/, path({ user_id: NOWHERE })],
    [/access_level is not given/, only({})],
    [/access level is not valid/, send({ access_level: 1234 })],
  ],
};

const remove: Endpoint = {
  base: [person("developer")],
  rules: [
    [/deleting themself/, as("developer"), removed],
    [/owner > deletes the member/, removed],
    [/member does not exist/, path({ user_id: NOWHERE })],
  ],
};

const removeFromGroup: Endpoint = {
  base: remove.base,
  rules: [
    ...remove.rules,
    [/skip_subresources=true/, query({ skip_subresources: true }), removed],
    [/skip_subresources=false/, query({ skip_subresources: false }), removed],
  ],
};

const one: Endpoint = {
  base: [person("developer")],
  rules: [[/as a #.*returns 200|returns 200/, as("developer"), answers({ username: "the-developer" })]],
};

export const members: Endpoints = {
  "GET /projects/:id/members": list,
  "GET /groups/:id/members": { ...list, rules: [...list.rules, [/subgroup member cannot/, subgroup]] },
  "GET /projects/:id/members/all": { base: [], rules: [] },
  "GET /groups/:id/members/all": { base: [], rules: [] },
  "POST /projects/:id/members": addToProject,
  "POST /groups/:id/members": add,
  "PUT /projects/:id/members/:user_id": change,
  "PUT /groups/:id/members/:user_id": change,
  "DELETE /projects/:id/members/:user_id": remove,
  "DELETE /groups/:id/members/:user_id": removeFromGroup,
  "GET /projects/:id/members/:user_id": one,
  "GET /groups/:id/members/:user_id": { ...one, rules: [...one.rules, [/subgroup member cannot/, subgroup]] },
};

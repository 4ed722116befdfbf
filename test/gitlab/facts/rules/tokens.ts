import { expect } from "vitest";
import { as, check, missing, query, send, some } from "../steps.ts";
import type { Actor, Endpoints, Json, Situation, Step } from "../situation.ts";

const PATH = "/personal_access_tokens";

/** A token of that person, whose id stands in the path. */
function tokenOf(actor: Exclude<Actor, null>, isUsed = false, ...scopes: readonly string[]): Step {
  return (situation) => {
    const { state } = situation.world.scene.sandbox;
    const user = situation.world.userOf(actor);
    const token = state.createToken({ user, scopes: scopes.length > 0 ? scopes : ["api"] });
    situation.path["id"] = token.id;
    if (isUsed) situation.token = token.value;
  };
}

const userId: Step = (situation) => query({ user_id: situation.world.userOf("developer").id })(situation);
const own = tokenOf("developer", true);
const foreign = tokenOf("reporter");
const aDeadToken: Step = (situation) => {
  const user = situation.world.userOf("owner");
  situation.token = situation.world.scene.tokenWith({ user, expiresAt: "2020-01-01" });
};
const invalid: Step = (situation) => {
  situation.token = "glpat-00000000000000000000";
};
const mine = check((rows, { world }) => {
  expect(rows.every((row: Json) => row.user_id === world.userOf("developer").id)).toBe(true);
});
const fresh = check((body) => expect(body.token).toMatch(/^glpat-/));
const revoked: Step = (situation) => {
  const id = Number(situation.path["id"]);
  situation.checks.push((_answer, { world }) => {
    expect([...world.scene.sandbox.rows.tokens.values()].find((row) => row.id === id)?.revoked).toBe(true);
  });
};
const usedFrom: Step = ({ checks }) => {
  checks.push(({ body }) => {
    const row = Array.isArray(body) ? body.find((one: Json) => one.last_used_ips.length > 0) : body;
    expect(row.last_used_ips).toContain("127.0.0.1");
  });
};
const usedBefore: Step = async (situation) => {
  const { token, world } = situation;
  if (typeof token === "string") await world.scene.call("GET", "/user", undefined, token);
};

export const tokens: Endpoints = {
  [`GET ${PATH}`]: {
    base: [as("developer")],
    rules: [
      [/non-Administrator/, as("developer")],
      [/returns all PATs by default/, as("admin"), some],
      [/filtered with user_id/, userId],
      [/Administrator > .*only PATs belonging/, as("admin"), mine],
      [/provided but does not exist/, as("admin"), query({ user_id: 99_999 })],
      [/explicitly blank/, as("admin"), query({ user_id: "" })],
      [/signed-in user|belonging to the specific user/, mine],
      [/recently used from an IP/, own, usedBefore, usedFrom],
      [/other than current_user/, as("reporter")],
      [/not authenticated/, as(null)],
    ],
  },
  [`GET ${PATH}/:id`]: {
    base: [as("developer"), own],
    rules: [
      [/admins own PAT/, tokenOf("admin", true)],
      [/different users PAT/, useOf("admin")],
      [/is an administrator > fails/, useOf("admin"), missing("id")],
      [/returns users own PAT/, check((body, { path }) => expect(body.id).toBe(path["id"]))],
      [/recently used from an IP/, usedBefore, usedFrom],
      [
        /not an ip recently used/,
        tokenOf("developer"),
        useOf("developer"),
        check((body) => expect(body.last_used_ips).toEqual([])),
      ],
      [/other users PAT/, foreign],
      [/not an administrator > .*no PAT exists/, missing("id")],
      [/read_repository token/, tokenOf("developer", true, "read_repository")],
    ],
  },
  [`POST ${PATH}/:id/rotate`]: {
    base: [own],
    rules: [
      [/rotates user/, fresh],
      [
        /expiry is defined/,
        send({ expires_at: "2027-01-01" }),
        check((body) => expect(body.expires_at).toBe("2027-01-01")),
      ],
      [/without permission/, foreign],
      [/for non-admin user/, missing("id")],
      [/for admin user/, useOf("admin"), missing("id")],
    ],
  },
  [`DELETE ${PATH}/:id`]: {
    base: [own],
    rules: [
      [/is an administrator > revokes a different/, useOf("admin"), revoked],
      [/is an administrator > revokes their own/, tokenOf("admin", true), revoked],
      [/not an administrator > revokes their own/, own, revoked],
      [/fails revokes a different/, foreign],
    ],
  },
  [`DELETE ${PATH}/self`]: { base: [own], rules: [[/revokes token/, revoked]] },
  [`GET ${PATH}/self`]: {
    base: [own],
    rules: [
      [/shows token info/, check((body) => expect(body.scopes).toEqual(["api"]))],
      [/returns ips used|most recent ones/, usedBefore, usedFrom],
      [/token is invalid/, invalid],
      [/token is expired/, aDeadToken],
    ],
  },
  [`GET ${PATH}/self/associations`]: { base: [own], rules: [[/token is invalid/, invalid]] },
  [`POST ${PATH}/self/rotate`]: { base: [own], rules: [[/rotate token/, fresh]] },
};

const resourceToken = {
  name: "bot",
  scopes: ["api"],
  access_level: 40,
  expires_at: new Date(Date.now() + 7 * 86_400_000).toISOString().slice(0, 10),
};

function withResourceToken(type: "projects" | "groups"): Step {
  return async ({ api, path }) => {
    await api("POST", `/${type}/${path["id"]}/access_tokens`, resourceToken);
  };
}

export const resourceTokens: Endpoints = {
  "GET /projects/:id/access_tokens": { base: [withResourceToken("projects")], rules: [] },
  "GET /groups/:id/access_tokens": { base: [withResourceToken("groups")], rules: [] },
};

/** Asks with another token of that person than the one in the path. */
function useOf(actor: Exclude<Actor, null>): Step {
  return (situation: Situation) => {
    situation.token = situation.world.tokenOf(actor);
  };
}

export const user: Endpoints = {
  "GET /user": {
    base: [as("developer")],
    rules: [
      [/returns (initial )?current user/, check((body) => expect(body.username).toBeDefined())],
      [/with admin/, as("admin")],
      [/sudo (is )?defined/, query({ sudo: 1 })],
      [
        /ai_workflows scope/,
        (situation) => {
          situation.token = situation.world.scene.tokenWith({
            user: situation.world.userOf("developer"),
            scopes: ["ai_workflows"],
          });
        },
      ],
    ],
  },
};

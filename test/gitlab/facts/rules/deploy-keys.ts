import { randomBytes } from "node:crypto";
import { expect } from "vitest";
import { answers, as, check, given, missing, send, some, without } from "../steps.ts";
import type { Actor, Endpoints, Situation, Step } from "../situation.ts";

const PATH = "/projects/:id/deploy_keys";
const EXPIRES = "2099-01-01T00:00:00.000Z";

function newKey(): string {
  const type = "ssh-ed25519";
  const name = Buffer.concat([
    Buffer.from([0, 0, 0, type.length]),
    Buffer.from(type),
    Buffer.from([0, 0, 0, 32]),
  ]);
  return `${type} ${Buffer.concat([name, randomBytes(32)]).toString("base64")} somebody@example.com`;
}

const body: Step = (situation) => send({ title: "deploy", key: newKey() })(situation);

function keyBy(actor: Exclude<Actor, null>, expires_at?: string): Step {
  return async (situation) => {
    const { world, project } = situation;
    const given = { title: "old", key: newKey(), ...(expires_at === undefined ? {} : { expires_at }) };
    const made = await world.scene.call(
      "POST",
      `/projects/${project.id}/deploy_keys`,
      given,
      world.tokenOf(actor),
    );
    situation.path["key_id"] = made.body.id;
  };
}

const publicKey: Step = async (situation) => {
  const made = await situation.api("POST", "/deploy_keys", { title: "public", key: newKey() });
  situation.path["key_id"] = made.id;
};

const attached: Step = async (situation) => {
  await situation.api(
    "POST",
    `/projects/${situation.project.id}/deploy_keys/${situation.path["key_id"]}/enable`,
    {},
  );
};

const otherProject: Step = async (situation) => {
  const { world } = situation;
  const path = world.fresh("other");
  const project = await world.scene.sandbox.state.createProject({ path, owner: world.userOf("owner") });
  await situation.api("POST", `/projects/${project.id}/deploy_keys/${situation.path["key_id"]}/enable`, {});
};

const sameKeyAgain: Step = async (situation) => {
  const given = situation.body as object;
  await situation.api("POST", `/projects/${situation.project.id}/deploy_keys`, given);
};

const stillThere: Step = (situation) => {
  situation.checks.push((_answer, { world, path }) => {
    expect(world.scene.sandbox.rows.deployKeys.has(Number(path["key_id"]))).toBe(true);
  });
};

const gone: Step = (situation) => {
  situation.checks.push((_answer, { world, path }) => {
    expect(world.scene.sandbox.rows.deployKeys.has(Number(path["key_id"]))).toBe(false);
  });
};

const dated = check(({ expires_at }) => expect(Date.parse(expires_at)).toBe(Date.parse(EXPIRES)));

export const deployKeys: Endpoints = {
  "GET /deploy_keys": { base: [keyBy("owner")], rules: [[/returns all deploy keys/, as("admin"), some]] },
  "POST /deploy_keys": {
    base: [body, as("admin")],
    rules: [
      [/creates a new deploy key/, answers({ title: "deploy" })],
      [/invalid ssh key/, without("key")],
      [/without title/, without("title")],
      [
        /duplicated/,
        given((s: Situation) => s.api("POST", "/deploy_keys", { ...(s.body as object), title: "first" })),
      ],
      [/expires_at/, send({ expires_at: EXPIRES }), dated],
    ],
  },
  [`GET ${PATH}/:key_id`]: {
    base: [keyBy("owner", EXPIRES)],
    rules: [
      [/invalid ID/, missing("key_id")],
      [/returns expiry date/, dated],
    ],
  },
  [`POST ${PATH}`]: {
    base: [body],
    rules: [
      [/invalid ssh key/, without("key")],
      [/without title/, without("title")],
      [/attempting to add a duplicate/, sameKeyAgain],
      [/joins an existing/, joinedElsewhere()],
      [/can_push/, send({ can_push: true }), answers({ can_push: true })],
      [/expires_at/, send({ expires_at: EXPIRES }), dated],
    ],
  },
  [`PUT ${PATH}/:key_id`]: {
    base: [keyBy("maintainer")],
    rules: [
      [/with non-admin/, publicKey, as("maintainer")],
      [/public deploy key attached/, publicKey, attached],
      [/multiple projects/, otherProject],
      [/title of the deploy key/, send({ title: "new title" })],
      [/admin mode on|with admin > .*updates the title/, as("admin")],
      [/invalid title/, send({ title: "" })],
      [/updates can_push/, send({ can_push: true }), answers({ can_push: true })],
      [/does not update a public/, send({ title: "new title" })],
      [/> updates the title/, answers({ title: "new title" })],
    ],
  },
  [`DELETE ${PATH}/:key_id`]: {
    base: [keyBy("owner")],
    rules: [
      [/deploy key is public/, publicKey, attached, stillThere],
      [/only used by this project/, gone],
      [/used by other projects/, otherProject, stillThere],
      [/invalid ID/, missing("key_id")],
    ],
  },
  [`POST ${PATH}/:key_id/enable`]: { base: [publicKey], rules: [[/non-admin/, as("stranger")]] },
};

/** The key is one of another project of the same owner. */
function joinedElsewhere(): Step {
  return async (situation) => {
    const { world } = situation;
    const project = await world.scene.sandbox.state.createProject({
      path: world.fresh("other"),
      owner: world.userOf("owner"),
    });
    await situation.api("POST", `/projects/${project.id}/deploy_keys`, { ...(situation.body as object) });
  };
}

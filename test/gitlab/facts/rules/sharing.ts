import { expect } from "vitest";
import {
  answers,
  as,
  check,
  given,
  missing,
  none,
  NOWHERE,
  only,
  path,
  query,
  send,
  some,
  without,
} from "../steps.ts";
import type { Actor, Endpoints, Rule, Situation, Step } from "../situation.ts";

const tomorrow = new Date(Date.now() + 86_400_000).toISOString().slice(0, 10);
const nothing = given(() => {});

/** A group beside the one of the fact, with its owner. */
function otherGroup(actor: Exclude<Actor, null>, visibility: "private" | "public" = "private") {
  return ({ world }: Situation): { readonly id: number; readonly fullPath: string } => {
    const owner = world.userOf(actor);
    return world.scene.sandbox.state.createGroup({ path: world.fresh("other"), owner, visibility });
  };
}

function shareWith(actor: Exclude<Actor, null>, visibility: "private" | "public" = "private"): Step {
  return (situation) => {
    const group = otherGroup(actor, visibility)(situation);
    send({ group_id: group.id, group_access: 30, expires_at: tomorrow })(situation);
  };
}

/** The project or group of the path is shared already, and the path names the other group. */
function shared(type: "projects" | "groups", access = 30): Step {
  return async (situation) => {
    const group = otherGroup("owner")(situation);
    await situation.api("POST", `/${type}/${situation.path["id"]}/share`, {
      group_id: group.id,
      group_access: access,
    });
    situation.path["group_id"] = group.id;
  };
}

const SHARES: readonly Rule[] = [
  [/group id is not given/, without("group_id")],
  [/access level is not given/, without("group_access")],
  [/user cannot read group/, shareWith("admin")],
  [/group does not exist/, send({ group_id: NOWHERE })],
  [/wrong params passed/, send({ group_access: 1234 })],
];

const UNSHARES: readonly Rule[] = [
  [/returns 204|deletes a group share/, nothing],
  [/integer/, path({ group_id: "foo" })],
  [/group link does not exist/, missing("group_id")],
  [/project does not exist|group does not exist/, missing("id")],
];

/** Who forks has nothing of that name, and may see the project. */
const forker: Step = (situation) => {
  const { world, project } = situation;
  const { state } = world.scene.sandbox;
  const user = state.createUser({ username: world.fresh("forker") });
  state.addMember(project, user, 20);
  situation.token = state.createToken({ user }).value;
  Object.assign(situation.path, { namespace: user.username, namespace_id: user.namespaceId });
};

const fork: Step = async (situation) => {
  const { world, project, token } = situation;
  await world.scene.call("POST", `/projects/${project.id}/fork`, {}, token ?? world.tokenOf("owner"));
};

const asAdmin: Step = (situation) => {
  situation.token = situation.world.tokenOf("admin");
};

function into(actor: Exclude<Actor, null>, below = ""): Step {
  return (situation) => {
    const { world } = situation;
    const { state } = world.scene.sandbox;
    const owner = world.userOf(actor);
    const group = state.createGroup({ path: world.fresh("target"), owner });
    const place = below === "" ? group : state.createGroup({ path: `${group.fullPath}/${below}`, owner });
    for (const user of world.scene.sandbox.rows.users.values()) {
      if (actor === "owner" && user.username === situation.path["namespace"])
        state.addMember(place, user, 50);
    }
    send({ namespace: place.id })(situation);
  };
}

export const sharing: Endpoints = {
  "POST /projects/:id/share": {
    base: [shareWith("owner")],
    rules: [[/shares project with group/, answers({ group_access: 30 })], ...SHARES],
  },
  "POST /groups/:id/share": {
    base: [shareWith("owner")],
    rules: [
      [
        /shares group with group > shares group/,
        check((body) => expect(body.shared_with_groups).toHaveLength(1)),
      ],
      ...SHARES.filter(([words]) => !words.source.includes("cannot read")),
      [/not the owner of the group/, as("stranger")],
    ],
  },
  "DELETE /projects/:id/share/:group_id": {
    base: [shared("projects")],
    rules: [...UNSHARES, [/link with OWNER access/, shared("projects", 50), as("maintainer")]],
  },
  "DELETE /groups/:id/share/:group_id": { base: [shared("groups")], rules: UNSHARES },
  "POST /projects/:id/fork": {
    base: [forker, send({})],
    rules: [
      [/sufficient access|explicit own|accepts custom/, nothing],
      [/forks if user is admin/, asAdmin],
      [/missing project access/, as("stranger"), given((s) => void (s.token = undefined))],
      [/forked project exists/, fork],
      [/project to fork from does not exist/, missing("id")],
      [/own user namespace id/, given((s) => send({ namespace: s.path["namespace_id"] })(s))],
      [/own user name as namespace/, given((s) => send({ namespace: s.path["namespace"] })(s))],
      [/another user when admin/, asAdmin, send({ namespace: "the-stranger" })],
      [/another user when not admin/, send({ namespace: "the-owner" })],
      [/non-existent namespace/, send({ namespace: "unheard-of" })],
      [/owned group$/, into("owner")],
      [/owned subgroup/, into("owner", "below")],
      [/not owned group$/, into("admin")],
      [/not owned group when admin/, into("stranger"), asAdmin],
      [/namespace_id is specified/, given((s) => send({ namespace_id: s.path["namespace_id"] })(s))],
      [/namespace_path is specified/, given((s) => send({ namespace_path: s.path["namespace"] })(s))],
      [/accepts a path/, send({ path: "foobar" }), answers({ path: "foobar" })],
      [/path is already taken/, fork, given((s) => send({ path: s.project.path })(s))],
      [
        /custom parameters/,
        send({ description: "A description", visibility: "private" }),
        answers({ description: "A description" }),
      ],
      [/name is already taken/, fork, given((s) => send({ name: s.project.path })(s))],
      [/same namespace with alternative/, as("owner"), given(ownFork)],
      [/same namespace without alternative/, as("owner"), given(ownForkAgain)],
      [/unknown visibility level/, send({ visibility: "something" })],
      [/unauthenticated/, as(null), given((s) => void (s.token = undefined))],
    ],
  },
  "GET /projects/:id/forks": {
    base: [fork],
    rules: [
      [/returns the forks/, some],
      [/filter by updated_at/, query({ updated_before: tomorrow }), some],
      [/cannot access the forks/, forker, none],
      [/non-forked project/, elsewhere(), none],
    ],
  },
  "GET /groups/:id/projects/shared": {
    base: [given(sharedProject)],
    rules: [
      [/returns the shared projects|returns shared projects|right details/, some],
      [/based on visibility/, query({ visibility: "private" }), some],
      [/based on search/, query({ search: "project" }), some],
      [/owned by the group/, some],
      [/non-existi?ng group|non-existent group/, missing("id")],
      [/to which user has access/, as("developer")],
      [/starred by user/, query({ starred: true }), none],
    ],
  },
  "POST /groups/:id/transfer": {
    base: [],
    rules: [
      [/root group > _for .*returns success/, given(subgroup)],
      [/already a root group/, only({})],
      [/non-existent group/, send({ group_id: NOWHERE })],
      [/transfer succceds/, given((s) => send({ group_id: otherGroup("owner")(s).id })(s))],
      [
        /forbids the operation/,
        as("developer"),
        given((s) => send({ group_id: otherGroup("owner")(s).id })(s)),
      ],
    ],
  },
  "POST /projects/:id/restore": {
    base: [given(deleted)],
    rules: [[/restores project/, answers({ marked_for_deletion_on: null })]],
  },
  "POST /groups/:id/restore": {
    base: [given(deletedGroup)],
    rules: [
      [/restores the group/, nothing],
      [/without access/, as("developer")],
    ],
  },
};

async function sharedProject({ api, project, group }: Situation): Promise<void> {
  await api("POST", `/projects/${project.id}/share`, { group_id: group.id, group_access: 30 });
}

function subgroup(situation: Situation): void {
  const { world, group } = situation;
  const owner = world.userOf("owner");
  const made = world.scene.sandbox.state.createGroup({
    path: `${group.fullPath}/${world.fresh("sub")}`,
    owner,
  });
  situation.path["id"] = made.id;
}

async function deleted({ api, project }: Situation): Promise<void> {
  await api("DELETE", `/projects/${project.id}`);
}

async function deletedGroup({ api, group }: Situation): Promise<void> {
  await api("DELETE", `/groups/${group.id}`);
}

function ownFork(situation: Situation): void {
  situation.token = undefined;
  const name = situation.world.fresh("copy");
  send({ namespace: "the-owner", path: name, name })(situation);
}

function ownForkAgain(situation: Situation): void {
  situation.token = undefined;
  send({ namespace: "the-owner" })(situation);
}

function elsewhere(): Step {
  return async (situation) => {
    const { world } = situation;
    const made = await world.scene.sandbox.state.createProject({
      path: world.fresh("alone"),
      owner: world.userOf("owner"),
    });
    situation.path["id"] = made.id;
  };
}

import { answers, as, check, given, NOWHERE, none, path, query, send, some, without } from "../steps.ts";
import { expect } from "vitest";
import type { Endpoints, Json, Situation, Step } from "../situation.ts";

const SHA = "0123456789012345678901234567890123456789";

const head: Step = async (situation) => {
  const branch = await situation.api("GET", `/projects/${situation.project.id}/repository/branches/main`);
  situation.path["sha"] = branch.commit.id;
};

const post = ({ api, project, path: parts }: Situation, body: object): Promise<Json> =>
  api("POST", `/projects/${project.id}/statuses/${parts["sha"]}`, body);

function posted(...bodies: readonly object[]): Step {
  return async (situation) => {
    for (const body of bodies) await post(situation, body);
  };
}

const OPTIONS = {
  name: "coverage",
  ref: "main",
  description: "test",
  target_url: "http://gitlab.com/status",
  coverage: 80,
};

export const statuses: Endpoints = {
  "GET /projects/:id/repository/commits/:sha/statuses": {
    base: [head, posted({ state: "running", name: "a" }, { state: "success", name: "b" })],
    rules: [
      [/latest commit statuses/, as("reporter"), check((rows) => expect(rows).toHaveLength(2))],
      [/_for .*returns all commit statuses/, query({ all: true }), some],
      [/with the specified stage/, query({ stage: "external" }), some],
      [/unmanaged field/, query({ order_by: "unknown" })],
      [/returns empty array/, given(otherCommit), none],
    ],
  },
  "POST /projects/:id/statuses/:sha": {
    base: [head, as("developer"), unprotected, send({ state: "success" })],
    rules: [
      [/only required parameters/, answers({ status: "success", name: "default" })],
      [
        /transitions from pending/,
        posted({ state: "pending" }),
        send({ state: "running" }),
        answers({ status: "running" }),
      ],
      [/all optional parameters/, send(OPTIONS)],
      [/creates commit status$/, answers({ status: "success" })],
      [/merge request exists/, mergeRequest],
      [/updating a commit status/, posted({ ...OPTIONS, state: "running" })],
      [/updates a commit status/, answers({ status: "success" })],
      [/`state` parameter is sent the same/, send({ state: "running" })],
      [
        /retrying a commit status/,
        posted({ ...OPTIONS, state: "failed" }, { ...OPTIONS, state: "pending" }),
        send(OPTIONS),
      ],
      [/status is invalid/, send({ state: "invalid" })],
      [/without a state/, without("state")],
      [/protected ref/, given(protectMain), send({ ref: "main" })],
      [/as maintainer/, as("maintainer")],
      [/commit SHA is invalid/, path({ sha: SHA })],
      [/target URL is an invalid address/, send({ target_url: "invalid url" })],
      [/unsupported scheme/, send({ target_url: "git://example.com" })],
    ],
  },
};

function unprotected({ project }: Situation): void {
  project.protectedBranches.clear();
}

function protectMain({ project }: Situation): void {
  project.protectedBranches.set("main", { pushLevel: 40, allowForcePush: false });
}

/** A commit that nobody said anything about. */
async function otherCommit(situation: Situation): Promise<void> {
  const { world, project } = situation;
  situation.path["sha"] = await world.scene.sandbox.state.commit(project, { "again.txt": `${NOWHERE}` });
}

async function mergeRequest({ api, project }: Situation): Promise<void> {
  const place = `/projects/${project.id}`;
  await api("POST", `${place}/repository/branches`, { branch: "topic", ref: "main" });
  await api("POST", `${place}/merge_requests`, {
    source_branch: "main",
    target_branch: "topic",
    title: "Topic",
  });
}

import { expect } from "vitest";
import { answers, as, check, given, missing, none, query, send, some } from "../steps.ts";
import type { Endpoints, Json, Situation, Step } from "../situation.ts";

const PATH = "/projects/:id/deployments";
const ONE = `${PATH}/:deployment_id`;
const DAY = 86_400_000;
const daysAgo = (days: number): string => new Date(Date.now() - days * DAY).toISOString();

const body: Step = async (situation) => {
  const branch = await situation.api("GET", `/projects/${situation.project.id}/repository/branches/main`);
  send({ environment: "production", sha: branch.commit.id, ref: "main", tag: false, status: "success" })(
    situation,
  );
};

function deployment(status = "success"): Step {
  return async (situation) => {
    await body(situation);
    const given = { ...(situation.body as object), status };
    const made = await situation.api("POST", `/projects/${situation.project.id}/deployments`, given);
    situation.path["deployment_id"] = made.id;
    situation.body = undefined;
  };
}

const ascending = check((rows) => {
  const ids = rows.map((row: Json) => row.id);
  expect(ids).toEqual([...ids].sort((a: number, b: number) => a - b));
});

const mergeRequest: Step = async ({ api, project }: Situation) => {
  const place = `/projects/${project.id}`;
  await api("POST", `${place}/repository/branches`, { branch: "topic", ref: "main" });
  await api("POST", `${place}/repository/files/new.txt`, {
    branch: "topic",
    content: "n",
    commit_message: "n",
  });
  const made = { source_branch: "topic", target_branch: "main", title: "Topic" };
  const { iid } = await api("POST", `${place}/merge_requests`, made);
  await api("PUT", `${place}/merge_requests/${iid}/merge`, {});
};

export const deployments: Endpoints = {
  [`GET ${PATH}`]: {
    base: [deployment(), deployment()],
    rules: [
      [/sorted by id asc/, ascending],
      [
        /when using `order_by=updated_at`/,
        query({ updated_before: daysAgo(-1), updated_after: daysAgo(1), order_by: "updated_at" }),
        some,
      ],
      [/not using `order_by/, query({ updated_before: daysAgo(-1), order_by: "id" })],
      [
        /deployments finished before/,
        query({ status: "success", finished_before: daysAgo(-1), order_by: "finished_at" }),
        some,
      ],
      [
        /deployments finished after/,
        query({ status: "success", finished_after: daysAgo(1), order_by: "finished_at" }),
        some,
      ],
      [
        /for unsuccessful/,
        query({ finished_before: daysAgo(-1), order_by: "finished_at", status: "failed" }),
      ],
      [/forbidden order_by/, query({ status: "success", finished_before: daysAgo(-1), order_by: "id" })],
      [/invalid order_by/, query({ order_by: "wrong_sorting_value" })],
      [/invalid sorting/, query({ sort: "wrong_sorting_direction" })],
      [/multiple records/, some],
    ],
  },
  [`GET ${ONE}`]: {
    base: [deployment()],
    rules: [[/returns the expected response/, answers({ ref: "main" })]],
  },
  [`POST ${PATH}`]: {
    base: [as("maintainer"), body],
    rules: [
      [/creates a new deployment/, answers({ ref: "main", status: "success" })],
      [/empty environment/, send({ environment: "" })],
      [/empty sha/, send({ sha: "" })],
      [/empty ref/, send({ ref: "" })],
      [/invalid sha/, send({ sha: "invalid" })],
      [/invalid ref/, send({ ref: "doesnotexist" })],
      [/invalid environment name/, send({ environment: "a b?" })],
      [/as a developer/, unprotected],
    ],
  },
  [`PUT ${ONE}`]: {
    base: [deployment("running"), send({ status: "success" })],
    rules: [
      [/without an associated build/, unprotected, answers({ status: "success" })],
      [/invalid status transition/, deployment("success"), send({ status: "running" })],
    ],
  },
  [`DELETE ${ONE}`]: {
    base: [deployment("failed"), as("maintainer")],
    rules: [
      [/deletes a deployment/, given(() => {})],
      [/running deployment/, deployment("running")],
      [/non-existent/, missing("deployment_id")],
    ],
  },
  [`GET ${ONE}/merge_requests`]: {
    base: [deployment()],
    rules: [
      [/returns the relevant/, mergeRequest, deployment(), given(() => {})],
      [/empty array/, none],
    ],
  },
};

function unprotected({ project }: Situation): void {
  project.protectedBranches.clear();
}

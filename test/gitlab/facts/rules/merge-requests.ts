import { answers, as, given, missing, only, send } from "../steps.ts";
import type { Endpoints, Situation, Step } from "../situation.ts";
import { feature } from "./repository.ts";

const PATH = "/projects/:id/merge_requests";
const ONE = `${PATH}/:merge_request_iid`;
const NOTES = `${PATH}/:noteable_id/notes`;

const wanted: Step = async (situation) => {
  await feature(situation);
  send({ source_branch: "feature", target_branch: "main", title: "Feature" })(situation);
};

const opened: Step = async (situation) => {
  await feature(situation);
  const place = `/projects/${situation.project.id}/merge_requests`;
  const body = { source_branch: "feature", target_branch: "main", title: "Feature" };
  const { iid } = await situation.api("POST", place, body);
  Object.assign(situation.path, { merge_request_iid: iid, noteable_id: iid });
};

const note: Step = async (situation) => {
  const place = `/projects/${situation.project.id}/merge_requests/${situation.path["noteable_id"]}/notes`;
  situation.path["note_id"] = (await situation.api("POST", place, { body: "a note" })).id;
};

const change =
  (body: object): Step =>
  async ({ api, project, path }: Situation) => {
    await api("PUT", `/projects/${project.id}/merge_requests/${path["merge_request_iid"]}`, body);
  };

const closed = change({ state_event: "close" });
const wantedAgain = send({ source_branch: "feature", target_branch: "main", title: "Again" });

const otherTarget: Step = async ({ api, project }) => {
  await api("POST", `/projects/${project.id}/repository/branches`, { branch: "other", ref: "main" });
};

const headOfFeature: Step = async (situation) => {
  const branch = await situation.api("GET", `/projects/${situation.project.id}/repository/branches/feature`);
  send({ sha: branch.commit.id })(situation);
};

const nothing = given(() => {});
const byId: Step = async ({ world, path, project }) => {
  const rows = [...world.scene.sandbox.rows.mergeRequests.values()];
  path["merge_request_iid"] = (rows.find((row) => row.projectId === project.id)?.id ?? 0) + 1000;
};

export const mergeRequests: Endpoints = {
  [`GET ${PATH}`]: {
    base: [opened],
    rules: [[/403 forbidden/, as("guest")]],
  },
  [`GET ${ONE}`]: {
    base: [opened],
    rules: [
      [/matches json schema|exposes known attributes/, answers({ state: "opened" })],
      [/404 error if merge_request_iid/, missing("merge_request_iid")],
      [/`id` is used instead/, byId],
    ],
  },
  [`POST ${PATH}`]: {
    base: [wanted],
    rules: [
      [/when source_branch is missing/, only({ title: "t", target_branch: "main" })],
      [/when target_branch is missing/, only({ title: "t", source_branch: "main" })],
      [/when title is missing/, only({ source_branch: "feature", target_branch: "main" })],
      [/source_branch equals target_branch/, send({ source_branch: "main" })],
      [/already exists for source/, given(openOne), wantedAgain],
      [/creates a new merge request$/, answers({ state: "opened", title: "Feature" })],
    ],
  },
  [`PUT ${ONE}`]: {
    base: [opened, send({ title: "New title" })],
    rules: [
      [/to close a MR/, send({ state_event: "close" }), answers({ state: "closed" })],
      [/updates title/, answers({ title: "New title" })],
      [/updates description/, send({ description: "New" }), answers({ description: "New" })],
      [
        /updates target_branch/,
        otherTarget,
        send({ target_branch: "other" }),
        answers({ target_branch: "other" }),
      ],
      [/updates squash/, send({ squash: true }), answers({ squash: true })],
      [/title is empty/, only({ title: "" })],
      [/target_branch is empty/, only({ target_branch: "" })],
      [/invalid merge request IID/, missing("merge_request_iid")],
      [/id is used instead of iid/, byId],
    ],
  },
  [`DELETE ${ONE}`]: {
    base: [opened],
    rules: [
      [/owners can destroy/, nothing],
      [/denies the deletion/, as("developer")],
      [/invalid merge request IID/, missing("merge_request_iid")],
      [/id is used instead of iid/, byId],
    ],
  },
  [`PUT ${ONE}/merge`]: {
    base: [opened],
    rules: [
      [/merge_request in case of success/, answers({ state: "merged" })],
      [/not open/, closed],
      [/is a draft/, change({ title: "Draft: Feature" })],
      [/no permissions to merge/, as("reporter")],
      [/SHA parameter doesn/, send({ sha: "0123456789012345678901234567890123456789" })],
      [/invalid merge request IID/, missing("merge_request_iid")],
      [/id is used instead of iid/, byId],
      [/SHA parameter matches/, headOfFeature],
      [/updates the MR/, send({ squash: true })],
      [/removes the source branch when set/, send({ should_remove_source_branch: true })],
    ],
  },
  [`GET ${NOTES}`]: { base: [opened, note], rules: [] },
  [`POST ${NOTES}`]: { base: [opened, send({ body: "a note" })], rules: [] },
  [`GET ${NOTES}/:note_id`]: { base: [opened, note], rules: [] },
  [`PUT ${NOTES}/:note_id`]: { base: [opened, note, send({ body: "other" })], rules: [] },
};

async function openOne({ api, project, body }: Situation): Promise<void> {
  await api("POST", `/projects/${project.id}/merge_requests`, body);
}

import { expect } from "vitest";
import { answers, as, check, given, only, path, query, scopes, send, some } from "../steps.ts";
import type { Endpoints, Situation, Step } from "../situation.ts";
import { feature } from "./repository.ts";

const PATH = "/projects/:id/repository/commits";
const MISSING = "0123456789012345678901234567890123456789";
const nothing = given(() => {});
const unprotected: Step = ({ project }) => project.protectedBranches.clear();

const head: Step = async (situation) => {
  const branch = await situation.api("GET", `/projects/${situation.project.id}/repository/branches/main`);
  situation.path["sha"] = branch.commit.id;
};

const headOfFeature: Step = async (situation) => {
  await feature(situation);
  const place = `/projects/${situation.project.id}/repository/branches/feature`;
  situation.path["sha"] = (await situation.api("GET", place)).commit.id;
};

const CREATE = { action: "create", file_path: "foo/bar/baz.txt", content: "puts 8" };
const DELETE = { action: "delete", file_path: "lib/a.txt" };
const MOVE = { action: "move", file_path: "lib/b.txt", previous_path: "lib/a.txt", content: "b" };
const UPDATE = { action: "update", file_path: "lib/a.txt", content: "puts 8" };
const CHMOD = { action: "chmod", file_path: "lib/a.txt", execute_filemode: true };

const actions = (...list: readonly object[]): Step => send({ actions: list });

const startSha: Step = async (situation) => {
  await head(situation);
  send({ branch: "patch", start_sha: situation.path["sha"] })(situation);
};

const master: Step = async ({ api, project }) => {
  await api("POST", `/projects/${project.id}/repository/branches`, { branch: "master", ref: "main" });
};

const status: Step = async ({ api, project, path: parts }: Situation) => {
  await api("POST", `/projects/${project.id}/statuses/${parts["sha"]}`, { state: "success" });
};

const comment: Step = async ({ api, project, path: parts }: Situation) => {
  await api("POST", `/projects/${project.id}/repository/commits/${parts["sha"]}/comments`, {
    note: "a note",
  });
};

export const commits: Endpoints = {
  [`GET ${PATH}`]: {
    base: [as("maintainer")],
    rules: [
      [/returns project commits/, some],
      [/invalid xmlschema date/, query({ since: "abc" })],
      [/only this author/, query({ author: "Owner" })],
      [/author is missing/, query({ author: "" }), some],
      [
        /when author > returns an empty/,
        query({ author: "does not exist" }),
        check((rows) => expect(rows).toEqual([])),
      ],
      [/params are invalid > returns 400/, query({ page: "x" })],
      [/ai_workflows scope/, scopes("ai_workflows"), some],
    ],
  },
  [`POST ${PATH}`]: {
    base: [
      as("developer"),
      unprotected,
      send({ branch: "main", commit_message: "Created a new file", actions: [CREATE] }),
    ],
    rules: [
      [/no params are given/, only({})],
      [
        /> creates the commit|personal access token|a new file in project repo/,
        answers({ title: "Created a new file" }),
      ],
      [/warns the user|when actions > returns a 400/, actions()],
      [/empty commit/, actions(), send({ allow_empty: true })],
      [/file exists/, actions({ ...CREATE, file_path: "lib/a.txt" })],
      [/user without permissions/, as("guest")],
      [/guest > returns a 403/, as("guest"), send({ branch: "patch", start_branch: "main" })],
      [/start_branch is also/, startSha, send({ start_branch: "main" })],
      [/start_sha .*branch already exists/, startSha, master, send({ branch: "master" })],
      [/start_sha does not exist/, send({ branch: "patch", start_sha: MISSING })],
      [/not a full SHA/, send({ branch: "patch", start_sha: MISSING.slice(0, 7) })],
      [/delete actions/, actions(DELETE)],
      [/delete actions > .*does not exist/, actions({ ...DELETE, file_path: "foo/bar.txt" })],
      [/move actions/, actions(MOVE)],
      [/move actions > .*does not exist/, actions({ ...MOVE, previous_path: "foo/bar.txt" })],
      [/update actions/, actions(UPDATE)],
      [/empty content/, actions({ ...UPDATE, content: "" })],
      [/update actions > .*does not exist/, actions({ ...UPDATE, file_path: "foo/bar.txt" })],
      [/includes stats/, actions(CREATE, UPDATE), check((body) => expect(body.stats).toBeDefined())],
      [
        /operations > doesn/,
        actions(CREATE, UPDATE),
        send({ stats: false }),
        check((body) => expect(body).not.toHaveProperty("stats")),
      ],
      [/if there are any issues/, actions(CREATE, { ...UPDATE, file_path: "unknown" })],
      [/chmod actions/, actions(CHMOD)],
      [/execute_filemode is false/, actions({ ...CHMOD, execute_filemode: false })],
      [/chmod .*when the file/, actions({ ...CHMOD, file_path: "foo/bar.txt" })],
      [/invalid json/, only("{", "application/json")],
      [/with an invalid encoding/, only("x", "application/octet-stream")],
    ],
  },
  [`GET ${PATH}/:sha/refs`]: {
    base: [head, feature],
    rules: [
      [/no scope|all refs$/, some],
      [/branch refs/, query({ type: "branch" }), some],
      [/tag refs/, query({ type: "tag" })],
      [/per_page limit/, query({ per_page: 1 }), check((rows) => expect(rows).toHaveLength(1))],
      [/second page/, query({ per_page: 1, page: 2 }), check((rows) => expect(rows).toHaveLength(1))],
      [/last page/, query({ per_page: 1, page: 2 })],
    ],
  },
  [`GET ${PATH}/:sha`]: {
    base: [as("maintainer"), head],
    rules: [
      [/ref last commit/, answers({ title: "Initial commit" })],
      [/includes status as/, answers({ status: null })],
      [/pipeline succeeds/, status, answers({ status: "success" })],
      [
        /does not include last_pipeline/,
        as("guest"),
        given(publicly),
        check((body) => expect(body.last_pipeline ?? null).toBeNull()),
      ],
      [
        /stats by default/,
        check((body) => expect(body.stats).toMatchObject({ total: body.stats.additions })),
      ],
      [
        /is false it does not/,
        query({ stats: false }),
        check((body) => expect(body).not.toHaveProperty("stats")),
      ],
      [/is true it includes/, query({ stats: true }), check((body) => expect(body).toHaveProperty("stats"))],
      [/when authenticated > is successful/, scopes("ai_workflows")],
    ],
  },
  [`GET ${PATH}/:sha/diff`]: {
    base: [head],
    rules: [
      [/diff of the selected commit/, check((rows) => expect(rows).toHaveLength(3))],
      [/Unified format/, query({ unidiff: true }), check(([row]) => expect(row.diff).toContain("+++ b/"))],
    ],
  },
  [`GET ${PATH}/:sha/comments`]: { base: [head, comment], rules: [[/diff of the selected commit/, some]] },
  [`POST ${PATH}/:sha/comments`]: {
    base: [head, send({ note: "My comment" })],
    rules: [
      [/creates the comment/, answers({ note: "My comment" })],
      [/inline comment/, send({ path: "lib/a.txt", line: 1, line_type: "new" }), answers({ line: 1 })],
      [/note is missing/, only({})],
    ],
  },
  [`GET ${PATH}/:sha/sequence`]: {
    base: [head],
    rules: [
      [/when commit exists > returns/, answers({ count: 1 })],
      [/first-parent/, query({ first_parent: true }), answers({ count: 1 })],
    ],
  },
  [`POST ${PATH}/:sha/cherry_pick`]: {
    base: [headOfFeature, send({ branch: "main" })],
    rules: [
      [/cherry-picks the ref commit/, nothing],
      [/supports dry-run/, send({ dry_run: true })],
      [/custom commit message/, send({ message: "foo" })],
      [/already included/, head, send({ dry_run: true })],
      [/branch is protected/, as("developer")],
    ],
  },
  [`POST ${PATH}/:sha/revert`]: {
    base: [head, send({ branch: "main" })],
    rules: [
      [/> reverts the ref commit/, nothing],
      [/supports dry-run/, send({ dry_run: true })],
      [/branch is protected/, as("developer")],
    ],
  },
  [`GET ${PATH}/:sha/merge_requests`]: {
    base: [headOfFeature, given(openMergeRequest)],
    rules: [
      [/correct merge request|correct opened/, check((rows) => expect(rows).toHaveLength(1))],
      [/403 for an unauthorized/, as("guest")],
      [/commit does not exist/, path({ sha: MISSING })],
      [/filtered by state > returns/, query({ state: "opened" })],
      [/closed merge-request/, query({ state: "closed" }), check((rows) => expect(rows).toEqual([]))],
    ],
  },
};

function publicly({ project }: Situation): void {
  project.visibility = "public";
}

async function openMergeRequest({ api, project }: Situation): Promise<void> {
  const body = { source_branch: "feature", target_branch: "main", title: "Feature" };
  await api("POST", `/projects/${project.id}/merge_requests`, body);
}

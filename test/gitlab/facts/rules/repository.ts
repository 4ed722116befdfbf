import { expect } from "vitest";
import { answers, as, check, given, query, scopes, some } from "../steps.ts";
import type { Endpoints, Json, Situation, Step } from "../situation.ts";

const PATH = "/projects/:id/repository";

async function headOf({ api, project }: Situation, ref = "main"): Promise<string> {
  return (await api("GET", `/projects/${project.id}/repository/branches/${ref}`)).commit.id;
}

/** A branch `feature` with one commit of its own. */
export const feature: Step = async ({ api, project, world }) => {
  await api("POST", `/projects/${project.id}/repository/branches`, { branch: "feature", ref: "main" });
  await world.scene.sandbox.state.commit(project, { "feature.txt": "new\n" }, { branch: "feature" });
};

const tags: Step = async ({ api, project }) => {
  await api("POST", `/projects/${project.id}/repository/tags`, { tag_name: "v1.0.0", ref: "main" });
  await api("POST", `/projects/${project.id}/repository/tags`, { tag_name: "v1.1.0", ref: "feature" });
};

const shas: Step = async (situation) =>
  query({ from: await headOf(situation), to: await headOf(situation, "feature") })(situation);

const foreign: Step = async (situation) => {
  const { world } = situation;
  const path = world.fresh("foreign");
  const owner = world.userOf("owner");
  const other = await world.scene.sandbox.state.createProject({ path, owner, files: { "z.txt": "z\n" } });
  query({ from_project_id: other.id })(situation);
};

const blob: Step = async (situation) => {
  const place = `/projects/${situation.project.id}/repository/tree`;
  const rows = await situation.api("GET", place);
  situation.path["sha"] = rows.find((row: Json) => row.type === "blob").id;
};

const diffs = (count: number): Step => check((body) => expect(body.diffs).toHaveLength(count));

export const repository: Endpoints = {
  [`GET ${PATH}/tree`]: {
    base: [as("reporter")],
    rules: [
      [/_for .*> returns the repository tree/, some],
      [
        /> with recursive=1/,
        query({ recursive: 1 }),
        check((rows) => expect(rows.map((row: Json) => row.path)).toContain("lib/a.txt")),
      ],
      [
        /keyset pagination/,
        query({ pagination: "keyset", per_page: 2 }),
        check((rows) => expect(rows).toHaveLength(2)),
      ],
      [/pagination=none/, query({ pagination: "none" })],
      [/pagination=none > with recursive=0/, query({ recursive: 0 })],
      [/ai_workflows scope/, scopes("ai_workflows"), some],
    ],
  },
  [`GET ${PATH}/blobs/:sha`]: {
    base: [blob],
    rules: [[/attributes as json/, answers({ encoding: "base64" })]],
  },
  [`GET ${PATH}/blobs/:sha/raw`]: { base: [blob], rules: [[/raw blob/, given(() => {})]] },
  [`GET ${PATH}/archive`]: {
    base: [as("reporter")],
    rules: [
      [/returns the repository archive$/, disposition(/\.tar\.gz/)],
      [/archive\.zip/, given(() => {})],
      [/archive\.tar\.bz2/, given(() => {})],
      [/include_lfs_blobs/, query({ include_lfs_blobs: false })],
      [/exclude_paths/, query({ exclude_paths: "lib" })],
      [/with path set/, query({ path: "lib" })],
    ],
  },
  [`GET ${PATH}/compare`]: {
    base: [as("reporter"), feature, query({ from: "main", to: "feature" })],
    rules: [
      [/compares branches/, diffs(1)],
      [/explicit merge-base/, query({ straight: false })],
      [/explicit straight/, query({ straight: true })],
      [/compares tags/, tags, query({ from: "v1.0.0", to: "v1.1.0" })],
      [/compares commits$/, shas, diffs(1)],
      [/in reverse order/, query({ from: "feature", to: "main" }), diffs(0)],
      [/non-forked relation/, foreign],
      [/same refs/, query({ from: "main", to: "main" }), answers({ compare_same_ref: true, commits: [] })],
      [
        /Unified format/,
        query({ unidiff: true }),
        check((body) => expect(body.diffs[0].diff).toContain("+++ b/feature.txt")),
      ],
      [/from ref is unknown/, query({ from: "unknown_ref" })],
      [/to ref is unknown/, query({ to: "unknown_ref" })],
      [/newly created commit/, shas, check((body) => expect(body.commit.created_at).toBeDefined())],
    ],
  },
  [`GET ${PATH}/merge_base`]: { base: [], rules: [[/not enough refs/, query({ "refs[]": "main" })]] },
  [`GET ${PATH}/contributors`]: {
    base: [],
    rules: [
      [/returns valid data$/, some],
      [/valid data for the ref/, query({ ref: "main" }), some],
      [/commits desc/, query({ order_by: "commits", sort: "desc" }), some],
      [/name desc/, query({ order_by: "name", sort: "asc" }), some],
    ],
  },
};

function disposition(pattern: RegExp): Step {
  return ({ checks }) => {
    checks.push(({ headers }) => expect(headers.get("content-disposition")).toMatch(pattern));
  };
}

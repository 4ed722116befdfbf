import { readDiffs } from "../git/diff.ts";
import { findMergeBase } from "../git/merge-base.ts";
import { findCommit, readCommits, resolveCommit } from "../git/read.ts";
import { canSee } from "../access.ts";
import { flag, integer, text } from "../params.ts";
import { notFound, ok, refuse } from "../reply.ts";
import { route, type Call, type Route } from "../route.ts";
import { webUrl } from "../urls.ts";
import { commitEntity } from "./entities.ts";
import { getReadable } from "./find-project.ts";
import { presentDiff } from "./present-diff.ts";
import { z } from "zod";

export const compareRoutes: readonly Route[] = [
  route({
    method: "GET",
    path: "/projects/:id/repository/compare",
    scopes: ["ai_workflows"],
    authenticate: "lazily",
    params: {
      from: text,
      to: text,
      from_project_id: integer.optional(),
      straight: flag.optional(),
      unidiff: flag.optional(),
    },
    handle: async (call, { from, to, straight = false, unidiff = false, from_project_id: source }) => {
      const project = getReadable(call, "forbidden");
      const { repositories, version } = call.box;
      if (source !== undefined && source !== project.id) refuseForeign(call, source);
      const [base, head] = await Promise.all([
        resolveCommit(repositories, project, from),
        findCommit(repositories, project, to),
      ]);
      if (base === null || !head) throw notFound("Ref");
      const commits = await readCommits(repositories, project, [`${base}..${head.id}`]);
      const present = commits.toReversed().map((commit) => commitEntity(call.box, project, commit));
      const diffs = await readDiffs(repositories, project, base, head.id, straight);
      return ok({
        commit: present.at(-1) ?? null,
        commits: present,
        diffs: diffs.map((diff) => presentDiff(version, diff, unidiff)),
        compare_timeout: false,
        compare_same_ref: from === to,
        web_url: `${webUrl(call.box, project)}/-/compare/${from}${straight ? ".." : "..."}${to}`,
      });
    },
  }),
  route({
    method: "GET",
    path: "/projects/:id/repository/merge_base",
    authenticate: "lazily",
    params: { refs: z.array(text) },
    handle: async (call, { refs }) => {
      const project = getReadable(call, "forbidden");
      const { repositories } = call.box;
      if (refs.length < 2) throw refuse(400, "Provide at least 2 refs");
      const found = await Promise.all(refs.map((ref) => resolveCommit(repositories, project, ref)));
      const missing = refs.filter((_ref, index) => found[index] === null);
      if (missing.length > 0) throw refuse(400, `Could not find ref: ${missing.join(", ")}`);
      const shas = found.filter((sha) => sha !== null);
      const base = await findMergeBase(repositories, project, shas);
      const commit = base === null ? null : await findCommit(repositories, project, base);
      if (!commit) throw notFound("Merge Base");
      return ok(commitEntity(call.box, project, commit));
    },
  }),
];

/** Only forks can be compared, and there are none here. */
function refuseForeign(call: Call, id: number): never {
  const other = call.box.state.projects.get(id);
  if (!other || !canSee(call.box.state, call.currentUser(), other)) throw notFound("Project");
  throw refuse(400, `Target project id:${id} is not a fork of project id:${call.path["id"]}`);
}

import { countLines } from "../git/stats.ts";
import { findCommit, readCommits, resolveCommit } from "../git/read.ts";
import { text } from "../params.ts";
import { paged } from "../paging.ts";
import { notFound, ok } from "../reply.ts";
import { route, type Route } from "../route.ts";
import { commitEntity } from "./entities.ts";
import { getReadable } from "./find-project.ts";
import { lastPipeline, latestState } from "./status-rows.ts";

const path = "/projects/:id/repository/commits";

export const commitRoutes: readonly Route[] = [
  route({
    method: "GET",
    path,
    scopes: ["ai_workflows"],
    authenticate: "lazily",
    params: { ref_name: text.optional(), path: text.optional() },
    handle: async (call, { ref_name, path: file }) => {
      const project = getReadable(call, "hidden");
      const { repositories } = call.box;
      const start = await resolveCommit(repositories, project, ref_name ?? project.defaultBranch);
      const paths = file === undefined || file.includes("\0") ? [] : [file];
      const commits =
        start === null ? [] : await readCommits(repositories, project, ["--max-count=10000", start], paths);
      return paged(call, commits, (commit) => commitEntity(call.box, project, commit), { totals: false });
    },
  }),
  route({
    method: "GET",
    path: `${path}/:sha`,
    scopes: ["ai_workflows"],
    authenticate: "lazily",
    params: { sha: text },
    handle: async (call, { sha }) => {
      const project = getReadable(call, "hidden");
      const commit = await findCommit(call.box.repositories, project, sha);
      if (!commit) throw notFound("Commit");
      return ok({
        ...commitEntity(call.box, project, commit),
        stats: await countLines(call.box.repositories, project, commit.id),
        status: latestState(call.box.state, project, commit.id),
        project_id: project.id,
        last_pipeline: lastPipeline(call.box, project, commit.id),
      });
    },
  }),
];

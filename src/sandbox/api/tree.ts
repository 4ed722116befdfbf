import { findCommit, readCommits, readTree, resolveCommit } from "../git/read.ts";
import { readDiffs } from "../git/diff.ts";
import { flag, integer, text } from "../params.ts";
import { paged } from "../paging.ts";
import { notFound, ok } from "../reply.ts";
import { route, type Route } from "../route.ts";
import { webUrl } from "../urls.ts";
import { commitEntity } from "./entities.ts";
import { getReadable } from "./find-project.ts";

const ORDER = { tree: 0, blob: 1, commit: 2 } as const;

/** GitLab's `repositories.rb`: tree and compare. */
export const treeRoutes: readonly Route[] = [
  route({
    method: "GET",
    path: "/projects/:id/repository/tree",
    scopes: ["ai_workflows"],
    authenticate: "lazily",
    params: {
      path: text.optional(),
      ref: text.optional(),
      recursive: flag.optional(),
      per_page: integer.optional(),
    },
    handle: async (call, { path = "", ref, recursive = false }) => {
      const project = getReadable(call, "forbidden");
      const { repositories } = call.box;
      const commit = await resolveCommit(repositories, project, ref ?? project.defaultBranch);
      if (commit === null) throw notFound("Tree");
      const folder = path.replace(/^\/+|\/+$/g, "");
      const entries = folder.includes("\0")
        ? null
        : await readTree(repositories, project, commit, folder, recursive);
      if (!entries) throw notFound("invalid revision or path");
      const rows = recursive ? entries : entries.toSorted((a, b) => ORDER[a.type] - ORDER[b.type]);
      return paged(call, rows, (entry) => entry);
    },
  }),
  route({
    method: "GET",
    path: "/projects/:id/repository/compare",
    authenticate: "lazily",
    params: { from: text, to: text, straight: flag.optional() },
    handle: async (call, { from, to, straight = false }) => {
      const project = getReadable(call, "forbidden");
      const { repositories } = call.box;
      const [base, head] = await Promise.all([
        resolveCommit(repositories, project, from),
        findCommit(repositories, project, to),
      ]);
      if (base === null || !head) throw notFound("Ref");
      const commits = await readCommits(repositories, project, [`${base}..${head.id}`]);
      const present = commits.toReversed().map((commit) => commitEntity(call.box, project, commit));
      return ok({
        commit: present.at(-1) ?? null,
        commits: present,
        diffs: await readDiffs(repositories, project, base, head.id, straight),
        compare_timeout: false,
        compare_same_ref: from === to,
        web_url: `${webUrl(call.box, project)}/-/compare/${from}${straight ? ".." : "..."}${to}`,
      });
    },
  }),
];

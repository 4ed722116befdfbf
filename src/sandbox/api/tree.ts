import { listContributors } from "../git/contributors.ts";
import { findBlob, readBlob, readTree, resolveCommit, type TreeEntry } from "../git/read.ts";
import { flag, integer, oneOf, text } from "../params.ts";
import { keysetPage, paged } from "../paging.ts";
import { notFound, ok, refuse, type Reply } from "../reply.ts";
import { route, type Call, type Route } from "../route.ts";
import type { Project } from "../state.ts";
import { getReadable } from "./find-project.ts";

const ORDER = { tree: 0, blob: 1, commit: 2 } as const;
const CONTRIBUTOR_ORDER = ["email", "name", "commits"] as const;

const treeParams = {
  path: text.optional(),
  ref: text.optional(),
  recursive: flag.optional(),
  per_page: integer.optional(),
  pagination: oneOf(["legacy", "keyset", "none"]).optional(),
  page_token: text.optional(),
};

/** GitLab's `repositories.rb`: tree, blobs, contributors. */
export const treeRoutes: readonly Route[] = [
  route({
    method: "GET",
    path: "/projects/:id/repository/tree",
    scopes: ["ai_workflows"],
    authenticate: "lazily",
    params: treeParams,
    handle: sendTree,
  }),
  route({
    method: "GET",
    path: "/projects/:id/repository/blobs/:sha",
    authenticate: "lazily",
    params: { sha: text },
    handle: async (call, { sha }) => {
      const project = getReadable(call, "forbidden");
      const id = await findBlob(call.box.repositories, project, sha);
      if (id === null) throw notFound("Blob");
      const bytes = await readBlob(call.box.repositories, project, id);
      return ok({ size: bytes.length, encoding: "base64", content: bytes.toString("base64"), sha: id });
    },
  }),
  route({
    method: "GET",
    path: "/projects/:id/repository/blobs/:sha/raw",
    authenticate: "lazily",
    params: { sha: text },
    handle: async (call, { sha }) => {
      const project = getReadable(call, "forbidden");
      const id = await findBlob(call.box.repositories, project, sha);
      if (id === null) throw notFound("Blob");
      const bytes = await readBlob(call.box.repositories, project, id);
      return {
        status: 200,
        text: bytes,
        contentType: "text/plain",
        headers: { "Content-Disposition": "inline" },
      };
    },
  }),
  route({
    method: "GET",
    path: "/projects/:id/repository/contributors",
    authenticate: "lazily",
    params: {
      ref: text.optional(),
      order_by: oneOf(CONTRIBUTOR_ORDER).optional(),
      sort: oneOf(["asc", "desc"]).optional(),
    },
    handle: async (call, { ref, order_by = "commits", sort = "asc" }) => {
      const project = getReadable(call, "forbidden");
      const { repositories } = call.box;
      const commit = await resolveCommit(repositories, project, ref ?? project.defaultBranch);
      if (commit === null) throw notFound("Contributors");
      const people = (await listContributors(repositories, project, commit)).toSorted((a, b) =>
        order_by === "commits" ? a.commits - b.commits : a[order_by] < b[order_by] ? -1 : 1,
      );
      return paged(call, sort === "asc" ? people : people.toReversed(), (person) => person);
    },
  }),
];

interface TreeQuery {
  readonly path?: string | undefined;
  readonly ref?: string | undefined;
  readonly recursive?: boolean | undefined;
  readonly pagination?: "legacy" | "keyset" | "none" | undefined;
  readonly page_token?: string | undefined;
}

async function sendTree(call: Call, query: TreeQuery): Promise<Reply> {
  const { pagination = "legacy", recursive = false } = query;
  const project = getReadable(call, "forbidden");
  if (pagination === "none" && !recursive) {
    throw refuse(400, "Pagination cannot be none unless tree is recursive"); // (inferred)
  }
  const rows = await treeRows(call, project, query);
  if (pagination === "none") return ok(rows);
  if (pagination === "legacy") return paged(call, rows, (entry) => entry);
  return keysetPage(call, rows, query.page_token, tokenOf, (entry) => entry);
}

async function treeRows(
  call: Call,
  project: Project,
  { path = "", ref = project.defaultBranch, recursive = false }: TreeQuery,
): Promise<readonly TreeEntry[]> {
  const { repositories, version } = call.box;
  const commit = await resolveCommit(repositories, project, ref);
  if (commit === null) throw notFound("Tree");
  const folder = path.replace(/^\/+|\/+$/g, "");
  const readable = !folder.includes("\0");
  const entries = readable ? await readTree(repositories, project, commit, folder, recursive) : null;
  if (!entries && version.has("treeOfBadPathIs404")) throw notFound("invalid revision or path");
  const rows = entries ?? [];
  return recursive ? rows : rows.toSorted((a, b) => ORDER[a.type] - ORDER[b.type]);
}

/** Where the next page goes on: GitLab's token is opaque too. */
function tokenOf(entry: TreeEntry): string {
  return Buffer.from(JSON.stringify({ path: entry.path })).toString("base64url");
}

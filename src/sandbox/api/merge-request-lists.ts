import { z } from "zod";
import { readCommits, readRefs } from "../git/read.ts";
import { isDraft, mergeRequestsOf, readMergeability } from "../merge-requests/rows.ts";
import { flag, integer, oneOf, text } from "../params.ts";
import { paged } from "../paging.ts";
import { ok } from "../reply.ts";
import { route, type Call, type Route } from "../route.ts";
import type { MergeRequest } from "../work-rows.ts";
import { commitEntity } from "./entities.ts";
import { diffsOf, getMergeRequest, mergeRequestPath, presentMergeRequest } from "./find-merge-request.ts";
import { getReadable } from "./find-project.ts";
import { mergeRequestBasic, mergeRequestSimple } from "./merge-request-entity.ts";

const path = "/projects/:id/merge_requests";
const one = `${path}/:merge_request_iid`;
const scopes = ["ai_workflows"];
const authenticate = "lazily";

const FILTERS = {
  state: oneOf(["opened", "closed", "locked", "merged", "all"]).default("all"),
  order_by: oneOf(["created_at", "updated_at", "merged_at", "title"]).default("created_at"),
  sort: oneOf(["asc", "desc"]).default("desc"),
  view: oneOf(["simple"]).optional(),
  scope: oneOf([
    "created_by_me",
    "assigned_to_me",
    "created-by-me",
    "assigned-to-me",
    "reviews_for_me",
    "all",
  ]).default("all"),
  iids: z.union([z.array(integer), integer.transform((iid) => [iid])]).optional(),
  source_branch: text.optional(),
  target_branch: text.optional(),
  author_id: integer.optional(),
  author_username: text.optional(),
  labels: z.union([z.array(text), text.transform((list) => list.split(","))]).optional(),
  search: text.optional(),
  wip: oneOf(["yes", "no"]).optional(),
  created_after: text.optional(),
  created_before: text.optional(),
  updated_after: text.optional(),
  updated_before: text.optional(),
};

type Filters = z.output<z.ZodObject<typeof FILTERS>>;

export const mergeRequestListRoutes: readonly Route[] = [
  route({
    method: "GET",
    path,
    scopes,
    authenticate,
    params: FILTERS,
    handle: async (call, given) => {
      const project = getReadable(call, "forbidden");
      const refs = await readRefs(call.box.repositories, project);
      const rows = mergeRequestsOf(call.box.state, project).filter((row) => admits(call, given, row));
      return paged(call, sorted(rows, given), async (row) =>
        given.view === "simple"
          ? mergeRequestSimple(call.box, project, row)
          : mergeRequestBasic(call.box, project, row, await readMergeability(call.box, project, row, refs)),
      );
    },
  }),
  route({
    method: "GET",
    path: `${one}/commits`,
    scopes,
    authenticate,
    params: mergeRequestPath,
    handle: async (call, { merge_request_iid }) => {
      const { project, row } = getMergeRequest(call, merge_request_iid);
      const range = row.sha === null || row.baseSha === null ? null : `${row.baseSha}..${row.sha}`;
      const commits = range === null ? [] : await readCommits(call.box.repositories, project, [range]);
      return paged(call, commits, (commit) => commitEntity(call.box, project, commit));
    },
  }),
  route({
    method: "GET",
    path: `${one}/changes`,
    scopes,
    authenticate,
    params: { ...mergeRequestPath, access_raw_diffs: flag.optional() },
    handle: async (call, { merge_request_iid }) => {
      const found = getMergeRequest(call, merge_request_iid);
      const shown = await presentMergeRequest(call, found);
      return ok({ ...Object(shown), changes: await diffsOf(call, found), overflow: false });
    },
  }),
  route({
    method: "GET",
    path: `${one}/diffs`,
    since: "mergeRequestDiffs",
    scopes,
    authenticate,
    params: mergeRequestPath,
    handle: async (call, { merge_request_iid }) =>
      paged(call, await diffsOf(call, getMergeRequest(call, merge_request_iid)), (diff) => diff),
  }),
];

function admits(call: Call, given: Filters, row: MergeRequest): boolean {
  return (
    ["all", row.state].includes(given.state) &&
    (given.iids?.includes(row.iid) ?? true) &&
    isBetween(given, row) &&
    (given.labels ?? []).every((label) => label === "" || row.labels.includes(label)) &&
    (given.wip === undefined || isDraft(row) === (given.wip === "yes")) &&
    isBy(call, given, row) &&
    mentions(row, given.search) &&
    isTimely(given, row)
  );
}

function isTimely(given: Filters, row: MergeRequest): boolean {
  return (
    within(row.createdAt, given.created_after, given.created_before) &&
    within(row.updatedAt, given.updated_after, given.updated_before)
  );
}

function isBetween(given: Filters, row: MergeRequest): boolean {
  return (
    row.sourceBranch === (given.source_branch ?? row.sourceBranch) &&
    row.targetBranch === (given.target_branch ?? row.targetBranch)
  );
}

function isBy(call: Call, given: Filters, row: MergeRequest): boolean {
  const author = call.box.state.users.get(row.authorId);
  const reader = call.currentUser()?.id ?? 0;
  const scope = given.scope.replaceAll("-", "_");
  return (
    (given.author_id === undefined || row.authorId === given.author_id) &&
    (given.author_username === undefined || author?.username === given.author_username) &&
    (scope !== "created_by_me" || row.authorId === reader) &&
    (scope !== "assigned_to_me" || row.assigneeIds.includes(reader))
  );
}

function mentions(row: MergeRequest, words: string | undefined): boolean {
  const text = `${row.title}\n${row.description ?? ""}`.toLowerCase();
  return words === undefined || text.includes(words.toLowerCase());
}

function within(time: string, after: string | undefined, before: string | undefined): boolean {
  const at = Date.parse(time);
  return (
    (after === undefined || at >= Date.parse(after)) && (before === undefined || at <= Date.parse(before))
  );
}

function sorted(rows: readonly MergeRequest[], { order_by, sort }: Filters): MergeRequest[] {
  const key = (row: MergeRequest): string =>
    ({
      created_at: row.createdAt,
      updated_at: row.updatedAt,
      merged_at: row.mergedAt ?? "",
      title: row.title,
    })[order_by];
  const sign = sort === "asc" ? 1 : -1;
  return rows.toSorted((a, b) => sign * (key(a).localeCompare(key(b), "en") || a.id - b.id));
}

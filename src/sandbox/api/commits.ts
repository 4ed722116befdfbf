import { posix } from "node:path";
import { containingRefs } from "../git/containing-refs.ts";
import { readDiffs, type Diff } from "../git/diff.ts";
import { findCommit, readCommits, resolveCommit, type Commit } from "../git/read.ts";
import { countLines } from "../git/stats.ts";
import { dateTime, flag, oneOf, text } from "../params.ts";
import { paged } from "../paging.ts";
import { notFound, ok, refuse } from "../reply.ts";
import { route, type Call, type Route } from "../route.ts";
import type { Project } from "../state.ts";
import { commitDetail } from "./commit-detail.ts";
import { createCommitRoute } from "./create-commit.ts";
import { commitEntity } from "./entities.ts";
import { getReadable } from "./find-project.ts";
import { presentDiff } from "./present-diff.ts";

const path = "/projects/:id/repository/commits";
const scopes = ["ai_workflows"];
const LIMIT = "--max-count=10000";

const list = {
  ref_name: text.optional(),
  path: text.optional(),
  since: dateTime.optional(),
  until: dateTime.optional(),
  author: text.optional(),
  all: flag.optional(),
  with_stats: flag.optional(),
  first_parent: flag.optional(),
  follow: flag.optional(),
  order: oneOf(["default", "topo"]).optional(),
};

/** git refuses such a path, where no commit has changed anything. */
function leadsOutside(wanted: string): boolean {
  return wanted.startsWith("/") || posix.normalize(wanted).split("/")[0] === "..";
}

async function getCommit(call: Call): Promise<{ readonly project: Project; readonly commit: Commit }> {
  const project = getReadable(call, "hidden");
  const commit = await findCommit(call.box.repositories, project, call.path["sha"] ?? "");
  if (!commit) throw notFound("Commit");
  return { project, commit };
}

export const commitRoutes: readonly Route[] = [
  route({
    method: "GET",
    path,
    scopes,
    authenticate: "lazily",
    params: list,
    handle: async (call, given) => {
      const project = getReadable(call, "hidden");
      const { repositories } = call.box;
      const start = given.all ? ["--all"] : await startOf(call, project, given.ref_name);
      const paths = given.path ? [given.path] : [];
      const words = [LIMIT, ...optionsOf(given, paths.length > 0), ...start];
      const nothing = start.length === 0 || paths.some(leadsOutside);
      const commits = nothing ? [] : await readCommits(repositories, project, words, paths);
      const present = async (commit: Commit): Promise<Record<string, unknown>> => ({
        ...commitEntity(call.box, project, commit),
        ...(given.with_stats ? { stats: await countLines(repositories, project, commit.id) } : {}),
      });
      return paged(call, commits, present, { totals: false });
    },
  }),
  createCommitRoute,
  route({
    method: "GET",
    path: `${path}/:sha`,
    scopes,
    authenticate: "lazily",
    params: { stats: flag.optional() },
    handle: async (call, { stats = true }) => {
      const { project, commit } = await getCommit(call);
      return ok(await commitDetail(call.box, project, commit, stats));
    },
  }),
  route({
    method: "GET",
    path: `${path}/:sha/diff`,
    authenticate: "lazily",
    params: { unidiff: flag.optional() },
    handle: async (call, { unidiff = false }) => {
      const { project, commit } = await getCommit(call);
      const diffs = await readDiffs(
        call.box.repositories,
        project,
        commit.parentIds[0] ?? EMPTY_TREE,
        commit.id,
        true,
      );
      return paged(call, diffs, (diff: Diff) => presentDiff(call.box.version, diff, unidiff));
    },
  }),
  route({
    method: "GET",
    path: `${path}/:sha/refs`,
    authenticate: "lazily",
    params: { type: oneOf(["branch", "tag", "all"]).optional() },
    handle: async (call, { type = "all" }) => {
      const { project, commit } = await getCommit(call);
      const refs = await containingRefs(call.box.repositories, project, commit.id);
      return paged(
        call,
        refs.filter((ref) => type === "all" || ref.type === type),
        (ref) => ref,
      );
    },
  }),
  route({
    method: "GET",
    path: `${path}/:sha/sequence`,
    authenticate: "lazily",
    since: "commitSequence",
    params: { first_parent: flag.optional() },
    handle: async (call, { first_parent = false }) => {
      const { project, commit } = await getCommit(call);
      const words = ["rev-list", "--count", ...(first_parent ? ["--first-parent"] : []), commit.id, "--"];
      return ok({ count: Number((await call.box.repositories.git(project, words)).trim()) });
    },
  }),
  route({
    method: "GET",
    path: `${path}/:sha/signature`,
    authenticate: "lazily",
    params: {},
    handle: async (call) => {
      await getCommit(call);
      throw notFound("Signature");
    },
  }),
];

/** git's own: what a first commit is compared with. */
const EMPTY_TREE = "4b825dc642cb6eb9a060e54bf8d69288fbee4904";

/** The revisions to start from: `main`, `a..b`; none for a name that nothing has. */
async function startOf(call: Call, project: Project, name: string | undefined): Promise<string[]> {
  const wanted = name ?? project.defaultBranch;
  if (wanted.startsWith("-") || /[\0\s]/.test(wanted)) throw refuse(400, "ref_name is invalid");
  const [from, to] = wanted.includes("..") ? wanted.split(/\.{2,3}/, 2) : [undefined, wanted];
  const { repositories } = call.box;
  const end = await resolveCommit(repositories, project, to ?? "");
  if (end === null) return [];
  if (from === undefined) return [end];
  const start = await resolveCommit(repositories, project, from);
  return start === null ? [] : [`^${start}`, end];
}

interface ListOptions {
  readonly since?: string | undefined;
  readonly until?: string | undefined;
  readonly author?: string | undefined;
  readonly first_parent?: boolean | undefined;
  readonly follow?: boolean | undefined;
  readonly order?: "default" | "topo" | undefined;
}

function optionsOf(given: ListOptions, hasPath: boolean): string[] {
  return [
    ...(given.since === undefined ? [] : [`--since=${given.since}`]),
    ...(given.until === undefined ? [] : [`--until=${given.until}`]),
    ...(given.author === undefined ? [] : ["--fixed-strings", `--author=${given.author}`]), // not an expression: `[]` is a name, too
    ...(given.first_parent ? ["--first-parent"] : []),
    ...(given.follow && hasPath ? ["--follow"] : []),
    ...(given.order === "topo" ? ["--topo-order"] : []),
  ];
}

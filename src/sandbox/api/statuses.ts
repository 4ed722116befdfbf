import { canPushTo, protectionOf, LEVEL } from "../access.ts";
import { resolveCommit } from "../git/read.ts";
import { flag, integer, number, oneOf, text } from "../params.ts";
import { paged } from "../paging.ts";
import { created, forbidden, notFound, refuse, refuseAsError, type Reply } from "../reply.ts";
import { route, type Call, type Route } from "../route.ts";
import { STATUS_STATES, type CommitStatus, type Project, type StatusState } from "../state.ts";
import { userBasic } from "./entities.ts";
import { getProjectAs } from "./find-project.ts";
import { isFinished, refusedTransition, statusesOf } from "./status-rows.ts";

function statusEntity(call: Call, status: CommitStatus): Record<string, unknown> {
  const author = call.box.state.users.get(status.authorId);
  return {
    id: status.id,
    sha: status.sha,
    ref: status.ref,
    status: status.state,
    name: status.name,
    target_url: status.targetUrl,
    description: status.description,
    created_at: status.createdAt,
    started_at: status.startedAt,
    finished_at: status.finishedAt,
    allow_failure: false,
    coverage: status.coverage,
    pipeline_id: status.pipelineId,
    author: author ? userBasic(call.box, author) : null,
  };
}

/** The one stage of what comes from outside. */
const STAGE = "external";

const FILTERS = {
  sha: text,
  ref: text.optional(),
  stage: text.optional(),
  name: text.optional(),
  pipeline_id: integer.optional(),
  all: flag.optional(),
  order_by: oneOf(["id", "pipeline_id"]).default("id"),
  sort: oneOf(["asc", "desc"]).default("asc"),
};

const fields = {
  sha: text,
  state: oneOf([...STATUS_STATES, "skipped"]),
  ref: text.optional(),
  name: text.optional(),
  context: text.optional(),
  target_url: text.optional(),
  description: text.optional(),
  coverage: number.optional(),
  pipeline_id: integer.optional(),
};

interface Given {
  readonly sha: string;
  readonly state: StatusState;
  readonly ref?: string | undefined;
  readonly name?: string | undefined;
  readonly context?: string | undefined;
  readonly target_url?: string | undefined;
  readonly description?: string | undefined;
  readonly coverage?: number | undefined;
  readonly pipeline_id?: number | undefined;
}

export const statusRoutes: readonly Route[] = [
  route({
    method: "GET",
    path: "/projects/:id/repository/commits/:sha/statuses",
    params: FILTERS,
    handle: async (call, given) => {
      const { sha, ref, name, all = false } = given;
      const project = getProjectAs(call, LEVEL.reporter);
      const commit = await resolveCommit(call.box.repositories, project, sha);
      if (commit === null) throw notFound("Commit");
      const rows = statusesOf(call.box.state, project, commit).filter(
        (status) =>
          (all || !status.retried) &&
          status.ref === (ref ?? status.ref) &&
          status.name === (name ?? status.name) &&
          status.pipelineId === (given.pipeline_id ?? status.pipelineId) &&
          (given.stage ?? STAGE) === STAGE,
      );
      const key = (status: CommitStatus): number =>
        given.order_by === "pipeline_id" ? status.pipelineId : status.id;
      const sign = given.sort === "desc" ? -1 : 1;
      const sorted = rows.toSorted((a, b) => sign * (key(a) - key(b) || a.id - b.id));
      return paged(call, sorted, (status) => statusEntity(call, status));
    },
  }),
  route({
    method: "POST",
    path: "/projects/:id/statuses/:sha",
    params: fields,
    handle: setStatus,
  }),
];

async function setStatus(call: Call, given: Given): Promise<Reply> {
  if (given.state === "skipped" && !call.box.version.has("skippedStatus")) {
    throw refuseAsError(400, "state does not have a valid value");
  }
  const project = getProjectAs(call, LEVEL.developer);
  if (project.archived || !project.repositoryEnabled || !project.buildsEnabled) throw forbidden();
  const sha = await getSha(call, project, given.sha);
  const ref = await getRef(call, project, sha, given.ref);
  if (protectionOf(project, ref) && !canPushTo(call.box.state, call.authenticate(), project, ref)) {
    throw forbidden();
  }
  checkTarget(given.target_url);
  const pipelineId = pipelineOf(call, project, sha, ref, given.pipeline_id);
  const name = given.name ?? given.context ?? "default";
  const status = openRow(call, project, { sha, ref, name, pipelineId }, given.state);
  advance(call, status, given);
  return created(statusEntity(call, status));
}

async function getSha(call: Call, project: Project, given: string): Promise<string> {
  const looksRight = /^[0-9a-f]{7,64}$/.test(given);
  const sha = looksRight ? await resolveCommit(call.box.repositories, project, given) : null;
  if (sha === null) throw notFound("Commit");
  return sha;
}

/** The given ref, else the first branch that has the commit. */
async function getRef(call: Call, project: Project, sha: string, given: string | undefined): Promise<string> {
  const ref = given?.replace(/^refs\/(heads|tags)\//, "") ?? (await branchWith(call, project, sha));
  if (ref === null) throw notFound("References for commit");
  return ref;
}

/** The row that this status goes into: the unfinished one of its name, or a new one that takes the place of a finished one. */
function openRow(
  call: Call,
  project: Project,
  key: Pick<CommitStatus, "sha" | "ref" | "name" | "pipelineId">,
  next: StatusState,
): CommitStatus {
  const current = statusesOf(call.box.state, project, key.sha).find(
    (status) => status.ref === key.ref && status.name === key.name && !status.retried,
  );
  if (!current) return insertStatus(call, project, key);
  if (isFinished(current.state)) {
    current.retried = true;
    return insertStatus(call, project, key);
  }
  const refused = refusedTransition(current.state, next);
  if (refused !== null) throw refuse(400, refused);
  return current;
}

async function branchWith(call: Call, project: Project, sha: string): Promise<string | null> {
  const words = [
    "for-each-ref",
    `--contains=${sha}`,
    "--format=%(refname:lstrip=2)",
    "refs/heads",
    "refs/tags",
  ];
  const names = (await call.box.repositories.git(project, words)).split("\n").filter((name) => name !== "");
  return names.includes(project.defaultBranch) ? project.defaultBranch : (names[0] ?? null);
}

function checkTarget(url: string | undefined): void {
  if (url === undefined || url === "") return;
  const scheme = URL.canParse(url) ? new URL(url).protocol : null;
  const problems = [
    ...(url.length > 255 ? ["is too long (maximum is 255 characters)"] : []),
    ...(scheme === null ? ["is blocked: URI is invalid"] : []),
    ...(scheme !== null && scheme !== "http:" && scheme !== "https:"
      ? ["is blocked: Only allowed schemes are http, https"]
      : []),
  ];
  if (problems.length > 0) throw refuse(400, { target_url: problems });
}

/** The external pipeline of this commit and ref, made with its first status. */
function pipelineOf(
  call: Call,
  project: Project,
  sha: string,
  ref: string,
  wanted: number | undefined,
): number {
  const { state } = call.box;
  const key = `${project.id} ${sha} ${ref}`;
  const existing = state.pipelines.get(key);
  if (wanted !== undefined && wanted !== existing) throw notFound("Pipeline for pipeline_id, sha and ref");
  const id = existing ?? state.nextId("pipeline");
  state.pipelines.set(key, id);
  return id;
}

function insertStatus(
  call: Call,
  project: Project,
  key: Pick<CommitStatus, "sha" | "ref" | "name" | "pipelineId">,
): CommitStatus {
  const { state } = call.box;
  const status: CommitStatus = {
    ...key,
    id: state.nextId("status"),
    projectId: project.id,
    authorId: call.authenticate().id,
    createdAt: state.now(),
    state: "pending",
    targetUrl: null,
    description: null,
    coverage: null,
    startedAt: null,
    finishedAt: null,
    retried: false,
  };
  state.statuses.set(status.id, status);
  return status;
}

function advance(call: Call, status: CommitStatus, given: Given): void {
  const now = call.box.state.now();
  status.state = given.state;
  status.targetUrl = given.target_url ?? status.targetUrl;
  status.description = given.description ?? status.description;
  status.coverage = given.coverage ?? status.coverage;
  if (given.state === "running") status.startedAt ??= now;
  if (isFinished(given.state)) status.finishedAt = now;
}

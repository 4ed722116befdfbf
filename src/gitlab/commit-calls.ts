import { z } from "zod";
import { Fault } from "../faults/fault.ts";
import type { Branch, Call, CommitStatus, Comparison, GitLab, Project } from "./gitlab.ts";
import { listAll, listPages } from "./pages.ts";
import { parseAs } from "./parse.ts";
import { branchSchema, commitSchema, compareSchema, projectSchema } from "./schemas.ts";
import type { Request } from "./request.ts";
import type { Transport } from "./transport.ts";

type CommitCalls = Pick<GitLab, "getProject" | "findBranch" | "findCommit" | "compare" | "setCommitStatus">;

/** Projects, branches, commits and their statuses. */
export function createCommitCalls(transport: Transport): CommitCalls {
  const get = (template: string, params: Request["params"], call?: Call, query: Request["query"] = {}) =>
    transport.send({ method: "GET", template, params: params ?? {}, query, ...call });

  const getProject: GitLab["getProject"] = async (project, call) => {
    const template = "/projects/:id";
    try {
      return parseAs(projectSchema, await get(template, { id: project }, call), template);
    } catch (error) {
      if (typeof project === "number" || !isSlashTrouble(error, project)) throw error;
      return searchProject(transport, project, error, call);
    }
  };

  return {
    getProject,

    findBranch: (id, name, call) =>
      orNull(
        name,
        async () => {
          const template = "/projects/:id/repository/branches/:branch";
          return parseAs(branchSchema, await get(template, { id, branch: name }, call), template);
        },
        () => searchBranch(transport, id, name, call),
      ),

    findCommit: (id, ref, call) =>
      orNull(
        ref,
        async () => {
          const template = "/projects/:id/repository/commits/:sha";
          return parseAs(commitSchema, await get(template, { id, sha: ref }, call), template);
        },
        async () => {
          const template = "/projects/:id/repository/commits";
          const success = await get(template, { id }, call, { ref_name: ref, per_page: 1 });
          return parseAs(z.array(commitSchema), success, template)[0] ?? null;
        },
      ),

    async compare(id, from, to, call) {
      const template = "/projects/:id/repository/compare";
      // Straight: what differs between the two, also when history was rewritten; else only what happened since their merge base.
      const query = { from, to, straight: true };
      try {
        return toComparison(parseAs(compareSchema, await get(template, { id }, call, query), template));
      } catch (error) {
        if (isTooLarge(error)) return { changedPaths: null, commits: [] };
        throw error;
      }
    },

    setCommitStatus: (id, sha, status, call) =>
      setCommitStatus(transport, getProject, { id, sha, status }, call),
  };
}

/**
 * A proxy that decodes `%2F`, or refuses it as Apache does by default, makes every address unknown that has a project's path or a branch like
 * `feature/x` in it: 400 or 404, in GitLab's words for a wrong address or as a page of the proxy. Then names go into the query.
 */
function isSlashTrouble(error: unknown, name: string): error is Fault {
  if (!(error instanceof Fault) || !error.is("NOT_GITLAB") || !name.includes("/")) return false;
  return error.evidence.status === 400 || error.evidence.status === 404;
}

async function searchBranch(
  transport: Transport,
  id: number,
  name: string,
  call?: Call,
): Promise<Branch | null> {
  const request = {
    template: "/projects/:id/repository/branches",
    params: { id },
    query: { search: name },
    ...call,
  };
  // The whole list or an error: a branch on a page that was not read must not count as gone.
  const branches = await listAll(transport, request, branchSchema);
  return branches.find((branch) => branch.name === name) ?? null;
}

/** How many pages of hits are looked through, of 100 projects each. */
const SEARCH_PAGES = 5;

async function searchProject(
  transport: Transport,
  path: string,
  fault: Fault,
  call?: Call,
): Promise<Project> {
  const query = { search: path.split("/").at(-1) ?? path };
  for await (const page of listPages(
    transport,
    { template: "/projects", query, ...call },
    projectSchema,
    SEARCH_PAGES,
  )) {
    const found = page.items.find((project) => project.path.toLowerCase() === path.toLowerCase());
    if (found) return found;
  }
  throw Fault.of("PROJECT_NOT_FOUND", "hidden_or_missing", { evidence: fault.evidence });
}

/** An absent branch or commit is null; an absent project or a repository that is switched off is not. */
async function orNull<T>(
  name: string,
  find: () => Promise<T>,
  findByQuery: () => Promise<T | null>,
): Promise<T | null> {
  // As the last segment of a path these mean another address.
  if (name === "" || name === "." || name === "..") return null;
  try {
    return await find();
  } catch (error) {
    if (isAbsent(error)) return null;
    if (!isSlashTrouble(error, name)) throw error;
  }
  try {
    return await findByQuery();
  } catch (error) {
    if (isAbsent(error)) return null;
    throw error;
  }
}

/** 400: a name that no ref can have. */
function isAbsent(error: unknown): boolean {
  if (!(error instanceof Fault)) return false;
  return error.is("NOT_FOUND") || (error.is("BAD_REQUEST") && error.evidence.status === 400);
}

/** GitLab keeps at most 1,000 files of a comparison by default, and says `compare_timeout` when it left some out. */
const MAX_FILES = 1000;

function toComparison(compared: {
  readonly commits: Comparison["commits"];
  readonly diffs: readonly { readonly old_path: string; readonly new_path: string }[];
  readonly compare_timeout: boolean;
}): Comparison {
  const cut = compared.compare_timeout || compared.diffs.length >= MAX_FILES;
  const paths = compared.diffs.flatMap((diff) => [diff.old_path, diff.new_path]);
  return { changedPaths: cut ? null : [...new Set(paths)], commits: compared.commits };
}

function isTooLarge(error: unknown): boolean {
  return (
    error instanceof Fault && error.is("NOT_GITLAB", "not_json") && error.evidence["limitBytes"] !== undefined
  );
}

interface StatusRequest {
  readonly id: number;
  readonly sha: string;
  readonly status: CommitStatus;
}

/** GitLab waits up to 10 s for a lock here: the deadline is longer than elsewhere. */
const STATUS_TIMEOUT_MS = 30_000;
const MAX_TEXT = 255;

async function setCommitStatus(
  transport: Transport,
  getProject: (id: number, call?: Call) => Promise<Project>,
  { id, sha, status }: StatusRequest,
  call?: Call,
): Promise<void> {
  const target = status.targetUrl;
  try {
    await transport.send({
      method: "POST",
      template: "/projects/:id/statuses/:sha",
      params: { id, sha },
      body: {
        state: status.state,
        ref: status.ref,
        name: status.name,
        description: status.description.slice(0, MAX_TEXT).toWellFormed(),
        ...(target === null || target.length > MAX_TEXT ? {} : { target_url: target }),
      },
      timeoutMs: STATUS_TIMEOUT_MS,
      ...call,
    });
  } catch (error) {
    if (!(error instanceof Fault)) throw error;
    // Not retryable: the commit is in that state already, which is what was asked for.
    if (error.is("CONFLICT", "") && !error.retryable) return;
    throw error.is("INSUFFICIENT_ROLE") ? await refineRefusal(error, () => getProject(id, call)) : error;
  }
}

/** A bare 403 is the same for a role too low and for an archived project: the project tells which. */
async function refineRefusal(fault: Fault, readProject: () => Promise<Project>): Promise<Fault> {
  try {
    const project = await readProject();
    if (project.archived) return Fault.of("PROJECT_ARCHIVED", "", { evidence: fault.evidence });
    return fault;
  } catch {
    return fault; // the refusal is the news, not that its reason could not be read
  }
}

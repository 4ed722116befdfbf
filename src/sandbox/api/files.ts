import { createHash } from "node:crypto";
import { canPushTo } from "../access.ts";
import { isBranchName } from "../names.ts";
import { findFile, readBlob, readCommits, resolveCommit } from "../git/read.ts";
import { moveRefs } from "../git/move-refs.ts";
import { isFilePath, writeCommit } from "../git/write.ts";
import { flag, oneOf, text } from "../params.ts";
import { badRequest, created, forbidden, notFound, ok, refuse, refuseAsError, type Reply } from "../reply.ts";
import { route, type Call, type Route } from "../route.ts";
import type { Project } from "../state.ts";
import { getProject, getReadable } from "./find-project.ts";

interface FoundFile {
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Record<string, unknown>;
  readonly bytes: Buffer;
}

async function getFile(call: Call, project: Project, path: string, ref: string): Promise<FoundFile> {
  const { repositories } = call.box;
  if (!isFilePath(path)) throw refuseAsError(400, "file_path should be a valid file path");
  const revision = ref === "HEAD" ? project.defaultBranch : ref;
  const commit = await resolveCommit(repositories, project, revision);
  if (commit === null) throw notFound("Commit");
  const file = await findFile(repositories, project, commit, path);
  if (!file) throw notFound("File");
  const bytes = await readBlob(repositories, project, file.id);
  const last = await repositories.git(project, ["log", "-1", "--format=%H", commit, "--", path]);
  const body = {
    file_name: file.name,
    file_path: path,
    size: bytes.length,
    encoding: "base64",
    content_sha256: createHash("sha256").update(bytes).digest("hex"),
    ref,
    blob_id: file.id,
    commit_id: commit,
    last_commit_id: last.trim(),
    execute_filemode: file.mode === "100755",
  };
  return { body: { ...body, content: bytes.toString("base64") }, bytes, headers: headersOf(body) };
}

/** `blob_id` travels as `X-Gitlab-Blob-Id` and so on. */
function headersOf(body: Readonly<Record<string, string | number | boolean>>): Record<string, string> {
  const headerName = (key: string): string =>
    `X-Gitlab-${key
      .split("_")
      .map((word) => word.charAt(0).toUpperCase() + word.slice(1))
      .join("-")}`;
  return Object.fromEntries(
    Object.entries(body).map(([key, value]) => [headerName(key), encodeURI(String(value))]),
  );
}

const path = "/projects/:id/repository/files/:file_path";
const readScopes = ["read_repository", "ai_workflows"];
const change = {
  file_path: text,
  branch: text,
  commit_message: text,
  content: text,
  start_branch: text.optional(),
  author_email: text.optional(),
  author_name: text.optional(),
  encoding: oneOf(["text", "base64"]).optional(),
  last_commit_id: text.optional(),
  execute_filemode: flag.optional(),
};

export const fileRoutes: readonly Route[] = [
  route({
    method: "GET",
    path,
    scopes: readScopes,
    authenticate: "lazily",
    params: { file_path: text, ref: text },
    handle: async (call, { file_path, ref }) => {
      const file = await getFile(call, getReadable(call, "forbidden"), file_path, ref);
      return ok(file.body, file.headers);
    },
  }),
  route({
    method: "GET",
    path: `${path}/raw`,
    scopes: readScopes,
    authenticate: "lazily",
    params: { file_path: text, ref: text.optional() },
    handle: async (call, { file_path, ref }) => {
      const project = getReadable(call, "forbidden");
      const file = await getFile(call, project, file_path, ref ?? "HEAD");
      return { status: 200, text: file.bytes, contentType: "text/plain", headers: file.headers };
    },
  }),
  route({
    method: "POST",
    path,
    params: change,
    handle: (call, given) => writeFile(call, given, "create"),
  }),
  route({
    method: "PUT",
    path,
    params: change,
    handle: (call, given) => writeFile(call, given, "update"),
  }),
];

interface Change {
  readonly file_path: string;
  readonly branch: string;
  readonly commit_message: string;
  readonly content: string;
  readonly start_branch?: string | undefined;
  readonly author_email?: string | undefined;
  readonly author_name?: string | undefined;
  readonly encoding?: "text" | "base64" | undefined;
  readonly last_commit_id?: string | undefined;
  readonly execute_filemode?: boolean | undefined;
}

async function writeFile(call: Call, given: Change, verb: "create" | "update"): Promise<Reply> {
  const user = call.authenticate();
  const project = getProject(call);
  const { repositories, state } = call.box;
  if (!isFilePath(given.file_path)) throw refuseAsError(400, "file_path should be a valid file path");
  if (!isBranchName(given.branch)) throw badRequest("branch is invalid");
  if (project.archived || !project.repositoryEnabled || !canPushTo(state, user, project, given.branch)) {
    throw forbidden("You are not allowed to push into this branch");
  }
  await moveRefs(call.box, project, user, async () => {
    const parent = await resolveCommit(
      repositories,
      project,
      `refs/heads/${given.start_branch ?? given.branch}`,
    );
    if (parent === null && !project.emptyRepo) {
      throw refuse(400, "You can only create or edit files when you are on a branch");
    }
    await checkFile(call, project, given, parent, verb);
    await writeCommit(repositories, project, {
      branch: given.branch,
      parent,
      message: given.commit_message,
      authorName: given.author_name ?? user.name,
      authorEmail: given.author_email ?? user.email,
      at: state.clock.now(),
      changes: [
        {
          path: given.file_path,
          content: Buffer.from(given.content, given.encoding === "base64" ? "base64" : "utf8"),
          executable: given.execute_filemode ?? false,
        },
      ],
    });
  });
  const body = { file_path: given.file_path, branch: given.branch };
  return verb === "create" ? created(body) : ok(body);
}

async function checkFile(
  call: Call,
  project: Project,
  given: Change,
  parent: string | null,
  verb: "create" | "update",
): Promise<void> {
  const { repositories } = call.box;
  const existing = parent === null ? null : await findFile(repositories, project, parent, given.file_path);
  if (verb === "create" && existing) throw refuse(400, "A file with this name already exists");
  if (verb === "update" && !existing) throw refuse(400, "A file with this name doesn't exist");
  if (given.last_commit_id === undefined || parent === null) return;
  const [last] = await readCommits(repositories, project, ["--max-count=1", parent], [given.file_path]);
  if (last?.id !== given.last_commit_id) {
    throw refuse(400, "You are attempting to update a file that has changed since you started editing it.");
  }
}

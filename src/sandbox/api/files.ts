import { createHash } from "node:crypto";
import { z } from "zod";
import { readBlame } from "../git/blame.ts";
import { findFile, readBlob, resolveCommit } from "../git/read.ts";
import { isFilePath } from "../git/write.ts";
import { flag, integer, text } from "../params.ts";
import { notFound, ok, refuse } from "../reply.ts";
import { route, type Call, type Route } from "../route.ts";
import type { Project } from "../state.ts";
import { fileWriteRoutes } from "./file-writes.ts";
import { getReadable } from "./find-project.ts";

interface FoundFile {
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Record<string, unknown>;
  readonly bytes: Buffer;
  readonly commit: string;
}

async function getFile(call: Call, project: Project, path: string, ref: string): Promise<FoundFile> {
  const { repositories } = call.box;
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
  const full = { ...body, content: bytes.toString("base64") };
  return { body: full, bytes, headers: headersOf(body), commit };
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
const scopes = ["read_repository", "ai_workflows"];
/** Grape's `file_path` validator: it stands with the other parameters, before anything is looked up. */
const filePath = text.refine(isFilePath, "should be a valid file path");
const blameRange = z
  .object({
    start: integer.refine((line) => line > 0, "does not have a valid value"),
    end: integer.refine((line) => line > 0, "does not have a valid value"),
  })
  .optional();

export const fileRoutes: readonly Route[] = [
  route({
    method: "GET",
    path,
    scopes,
    authenticate: "lazily",
    params: { file_path: filePath, ref: text },
    handle: async (call, { file_path, ref }) => {
      const file = await getFile(call, getReadable(call, "forbidden"), file_path, ref);
      return ok(file.body, file.headers);
    },
  }),
  route({
    method: "GET",
    path: `${path}/raw`,
    scopes,
    authenticate: "lazily",
    params: { file_path: filePath, ref: text.optional(), lfs: flag.optional() },
    handle: async (call, { file_path, ref }) => {
      const project = getReadable(call, "forbidden");
      const file = await getFile(call, project, file_path, ref ?? "HEAD");
      const headers = { ...file.headers, "Content-Disposition": "inline" };
      return { status: 200, text: file.bytes, contentType: "text/plain", headers };
    },
  }),
  route({
    method: "GET",
    path: `${path}/blame`,
    scopes,
    authenticate: "lazily",
    params: { file_path: filePath, ref: text, range: blameRange },
    handle: async (call, { file_path, ref, range = null }) => {
      const project = getReadable(call, "forbidden");
      if (range && range.start > range.end) {
        throw refuse(400, "range[start] must be less than or equal to range[end]");
      }
      const file = await getFile(call, project, file_path, ref);
      const lines = file.bytes.toString("utf8").split("\n").length;
      if (range && range.start > lines) return ok([], file.headers);
      const groups = await readBlame(call.box.repositories, project, file.commit, file_path, range);
      const blamed = groups.map(({ commit, lines }) => ({
        commit: {
          id: commit.id,
          parent_ids: commit.parentIds,
          message: commit.message,
          authored_date: commit.authoredDate,
          author_name: commit.authorName,
          author_email: commit.authorEmail,
          committed_date: commit.committedDate,
          committer_name: commit.committerName,
          committer_email: commit.committerEmail,
        },
        lines,
      }));
      return ok(blamed, file.headers);
    },
  }),
  ...fileWriteRoutes,
];

import type { FileAction } from "../git/actions.ts";
import { isFilePath } from "../git/write.ts";
import { flag, oneOf, text } from "../params.ts";
import { badRequest, created, noContent, ok, refuse, refuseAsError, type Reply } from "../reply.ts";
import { route, type Call, type Route } from "../route.ts";
import { parseBody } from "./body-params.ts";
import { authorizePush, commitChanges } from "./commit-changes.ts";
import { getProject } from "./find-project.ts";

const path = "/projects/:id/repository/files/:file_path";
const common = {
  file_path: text,
  branch: text,
  commit_message: text,
  start_branch: text.optional(),
  author_email: text.optional(),
  author_name: text.optional(),
  last_commit_id: text.optional(),
};
const written = {
  ...common,
  content: text,
  encoding: oneOf(["text", "base64"]).optional(),
  execute_filemode: flag.optional(),
};

export const fileWriteRoutes: readonly Route[] = [
  route({ method: "POST", path, params: {}, handle: (call) => write(call, "create") }),
  route({ method: "PUT", path, params: {}, handle: (call) => write(call, "update") }),
  route({
    method: "DELETE",
    path,
    params: common,
    handle: async (call, given) => {
      checkPath(given.file_path);
      await commit(call, given, { action: "delete", path: given.file_path });
      return noContent();
    },
  }),
];

interface Given {
  readonly file_path: string;
  readonly branch: string;
  readonly commit_message: string;
  readonly start_branch?: string | undefined;
  readonly author_email?: string | undefined;
  readonly author_name?: string | undefined;
  readonly last_commit_id?: string | undefined;
}

async function write(call: Call, action: "create" | "update"): Promise<Reply> {
  checkPath(call.path["file_path"] ?? "");
  if (call.box.version.has("fileBodiesReadByGitLab")) authorizeEarly(call);
  const given = parseBody(call, written, ["branch", "commit_message", "content"]);
  await commit(call, given, {
    action,
    path: given.file_path,
    content: Buffer.from(given.content, given.encoding === "base64" ? "base64" : "utf8"),
    executable: given.execute_filemode,
  });
  const body = { file_path: given.file_path, branch: given.branch };
  return action === "create" ? created(body) : ok(body);
}

/** The role comes before the body, as far as it can be told without a branch. */
function authorizeEarly(call: Call): void {
  const { branch } = call.input;
  if (typeof branch === "string") authorizePush(call, getProject(call), branch);
}

function checkPath(file: string): void {
  if (!isFilePath(file)) throw refuseAsError(400, "file_path should be a valid file path");
}

async function commit(call: Call, given: Given, action: FileAction): Promise<void> {
  const project = getProject(call);
  if (given.branch.trim() === "") throw badRequest("branch is invalid");
  authorizePush(call, project, given.branch);
  if (given.commit_message.trim() === "") throw refuse(400, "Empty commit message");
  await commitChanges(call, project, {
    ...given,
    lastCommits:
      given.last_commit_id === undefined ? [] : [{ path: given.file_path, id: given.last_commit_id }],
    actions: [action],
  });
}

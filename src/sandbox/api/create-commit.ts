import { z } from "zod";
import type { FileAction } from "../git/actions.ts";
import { findCommit } from "../git/read.ts";
import { flag, oneOf, text } from "../params.ts";
import { created, notFound, refuse, type Reply } from "../reply.ts";
import { route, type Call, type Route } from "../route.ts";
import { parseBody } from "./body-params.ts";
import { authorizePush, commitChanges } from "./commit-changes.ts";
import { commitDetail } from "./commit-detail.ts";
import { getProject } from "./find-project.ts";

const action = z.object({
  action: oneOf(["create", "update", "move", "delete", "chmod"]),
  file_path: text,
  previous_path: text.optional(),
  content: text.optional(),
  encoding: oneOf(["text", "base64"]).optional(),
  last_commit_id: text.optional(),
  execute_filemode: flag.optional(),
});

const params = {
  branch: text,
  commit_message: text,
  actions: z.array(action),
  start_branch: text.optional(),
  start_sha: text.optional(),
  author_email: text.optional(),
  author_name: text.optional(),
  stats: flag.optional(),
  force: flag.optional(),
};

export const createCommitRoute: Route = route({
  method: "POST",
  path: "/projects/:id/repository/commits",
  params: {},
  handle: createCommit,
});

async function createCommit(call: Call): Promise<Reply> {
  const project = getProject(call);
  const { branch } = call.input;
  if (call.box.version.has("fileBodiesReadByGitLab") && typeof branch === "string") {
    authorizePush(call, project, branch);
  }
  const given = parseBody(call, params, ["branch", "commit_message", "actions"]);
  authorizePush(call, project, given.branch);
  if (given.start_branch !== undefined && given.start_sha !== undefined) {
    throw refuse(400, "start_branch, start_sha are mutually exclusive");
  }
  if (given.commit_message.trim() === "") throw refuse(400, "Empty commit message");
  await commitChanges(call, project, {
    ...given,
    lastCommits: given.actions.flatMap(({ file_path, previous_path, last_commit_id: id }) =>
      id === undefined ? [] : [{ path: previous_path ?? file_path, id }],
    ),
    actions: given.actions.map(actionOf),
  });
  const commit = await findCommit(call.box.repositories, project, `refs/heads/${given.branch}`);
  if (!commit) throw notFound("Commit");
  return created(await commitDetail(call.box, project, commit, given.stats ?? true));
}

function actionOf(given: z.output<typeof action>): FileAction {
  const { content, encoding = "text" } = given;
  return {
    action: given.action,
    path: given.file_path,
    previousPath: given.previous_path,
    content:
      content === undefined ? undefined : Buffer.from(content, encoding === "base64" ? "base64" : "utf8"),
    executable: given.execute_filemode,
  };
}

import { protectionOf } from "../access.ts";
import type { Commit } from "../git/read.ts";
import type { ChangedPaths } from "../git/changed-paths.ts";
import { pushOptions } from "../git/push-options.ts";
import { ZEROS, type RefChange } from "../git/refs.ts";
import type { Project, User } from "../state.ts";
import { commitUrl, httpUrl, sshUrl } from "../urls.ts";
import { gravatar } from "./people-part.ts";
import { projectPart, repositoryPart, VISIBILITY_LEVEL, type PayloadBox } from "./project-part.ts";

export interface PushFacts {
  readonly change: RefChange;
  /** The newest commits of the push, oldest first; at most 20 of them travel. */
  readonly commits: readonly Commit[];
  readonly changedPaths: ReadonlyMap<string, ChangedPaths>;
  readonly totalCommits: number;
  /** The commit at the end of the ref: of an annotated tag what it points at. */
  readonly checkoutSha: string | null;
  /** The message of an annotated tag. */
  readonly message: string | null;
  /** As they were given to `git push -o`. */
  readonly pushOptions: readonly string[];
}

/** The body of a push or tag push hook, with the keys and their order of GitLab's `DataBuilder::Push`. */
export function pushPayload(
  box: PayloadBox,
  project: Project,
  user: User,
  facts: PushFacts,
): Record<string, unknown> {
  const { change } = facts;
  const kind = change.ref.startsWith("refs/tags/") ? "tag_push" : "push";
  const branch = change.ref.replace(/^refs\/(heads|tags)\//, "");
  return {
    object_kind: kind,
    event_name: kind,
    before: change.before,
    after: change.after,
    ref: change.ref,
    ...(box.version.has("pushPayloadRefProtected")
      ? { ref_protected: kind === "push" && protectionOf(project, branch) !== null }
      : {}),
    checkout_sha: change.after === ZEROS ? null : facts.checkoutSha,
    message: facts.message,
    user_id: user.id,
    user_name: user.name,
    user_username: user.username,
    user_email: box.version.has("webhookUserEmail") ? "" : user.email,
    user_avatar: gravatar(user),
    project_id: project.id,
    project: projectPart(box, project),
    commits: facts.commits.map((commit) => commitPart(box, project, commit, facts.changedPaths)),
    total_commits_count: facts.totalCommits,
    ...(box.version.has("pushPayloadOptions") ? { push_options: pushOptions(facts.pushOptions) } : {}),
    repository: {
      ...repositoryPart(box, project),
      git_http_url: httpUrl(box, project),
      git_ssh_url: sshUrl(box, project),
      visibility_level: VISIBILITY_LEVEL[project.visibility],
    },
  };
}

export function commitPart(
  box: PayloadBox,
  project: Project,
  commit: Commit,
  changedPaths: ReadonlyMap<string, ChangedPaths>,
): Record<string, unknown> {
  return {
    id: commit.id,
    message: commit.message,
    ...(box.version.has("pushPayloadCommitTitle") ? { title: commit.title } : {}),
    timestamp: commit.committedDate.replace(".000", ""),
    url: commitUrl(box, project, commit.id),
    author: { name: commit.authorName, email: commit.authorEmail },
    ...(changedPaths.get(commit.id) ?? { added: [], modified: [], removed: [] }),
  };
}

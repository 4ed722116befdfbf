import { z } from "zod";
import type { Branch, Commit, DeployKey, Hook, Project, TokenInfo, UserInfo } from "./gitlab.ts";

/**
 * The fields that are used of GitLab's answers, as loosely as they can be read: what one version or edition leaves out has a default,
 * unknown keys are dropped, unknown words become `unknown`. Held to GitLab's own JSON schemas and recorded answers by a test.
 */
const id = z.int().positive();
const text = z.string().nullish();
const flag = z
  .boolean()
  .nullish()
  .transform((value) => value ?? false);

export const versionSchema = z.object({
  version: z.string(),
  /** From 15.6 on; before, the `-ee` at the version's end says it. */
  enterprise: z.boolean().nullish(),
});

export const tokenSchema = z
  .object({
    id: z.int().nullish(),
    name: text,
    scopes: z.array(z.string()),
    user_id: z.int().nullish(),
    expires_at: text,
  })
  .transform((token): TokenInfo => ({
    id: token.id ?? null,
    name: token.name ?? "",
    scopes: token.scopes,
    expiresAt: /^\d{4}-\d{2}-\d{2}/.exec(token.expires_at ?? "")?.[0] ?? null,
    userId: token.user_id ?? 0,
  }));

/** Users of project and group access tokens, for versions that do not say `bot`. */
const BOT_NAME = /^(project|group)_\d+_bot/;

export const userSchema = z
  .object({ id, username: z.string(), bot: z.boolean().nullish(), is_admin: flag, web_url: text })
  .transform((user): UserInfo => ({
    id: user.id,
    username: user.username,
    bot: user.bot ?? BOT_NAME.test(user.username),
    admin: user.is_admin,
    webUrl: user.web_url ?? null,
  }));

const access = z.object({ access_level: z.int() }).nullish();

export const projectSchema = z
  .object({
    id,
    path_with_namespace: z.string(),
    web_url: z.string(),
    http_url_to_repo: text,
    ssh_url_to_repo: text,
    default_branch: text,
    archived: flag,
    empty_repo: flag,
    marked_for_deletion_on: text,
    marked_for_deletion_at: text,
    repository_access_level: text,
    permissions: z.object({ project_access: access, group_access: access }).nullish(),
  })
  .transform((project): Project => ({
    id: project.id,
    path: project.path_with_namespace,
    webUrl: project.web_url,
    httpUrl: project.http_url_to_repo ?? "",
    sshUrl: project.ssh_url_to_repo ?? "",
    defaultBranch: project.default_branch ?? null,
    archived: project.archived,
    emptyRepo: project.empty_repo,
    pendingDeletion: Boolean(project.marked_for_deletion_on ?? project.marked_for_deletion_at),
    repositoryDisabled: project.repository_access_level === "disabled",
    accessLevel: highestLevel(project.permissions),
  }));

type Access = { readonly access_level: number } | null | undefined;

/** null when neither says: administrators and members of invited groups have no record here. */
function highestLevel(
  permissions: { readonly project_access?: Access; readonly group_access?: Access } | null | undefined,
): number | null {
  const levels = [permissions?.project_access, permissions?.group_access].flatMap((record) =>
    record ? [record.access_level] : [],
  );
  return levels.length === 0 ? null : Math.max(...levels);
}

export const commitSchema = z
  .object({
    id: z.string(),
    title: text,
    message: text,
    author_name: text,
    committed_date: text,
    created_at: text,
  })
  .transform((commit): Commit => ({
    sha: commit.id,
    title: commit.title ?? "",
    message: commit.message ?? commit.title ?? "",
    authorName: commit.author_name ?? "",
    committedAt: commit.committed_date ?? commit.created_at ?? "",
  }));

export const branchSchema = z
  .object({ name: z.string(), commit: commitSchema })
  .transform((branch): Branch => branch);

export const compareSchema = z.object({
  commits: z.array(commitSchema),
  diffs: z.array(z.object({ old_path: z.string(), new_path: z.string() })),
  compare_timeout: flag,
});

export const hookSchema = z
  .object({
    id,
    url: z.string(),
    push_events: flag,
    tag_push_events: flag,
    merge_requests_events: flag,
    push_events_branch_filter: text,
    enable_ssl_verification: flag,
    alert_status: z.enum(["executable", "temporarily_disabled", "disabled", "unknown"]).catch("unknown"),
    token_present: z.boolean().nullish(),
    signing_token_present: z.boolean().nullish(),
  })
  .transform((hook): Hook => ({
    id: hook.id,
    url: hook.url,
    pushEvents: hook.push_events,
    tagPushEvents: hook.tag_push_events,
    mergeRequestsEvents: hook.merge_requests_events,
    branchFilter: hook.push_events_branch_filter === "" ? null : (hook.push_events_branch_filter ?? null),
    verifiesTls: hook.enable_ssl_verification,
    alertStatus: hook.alert_status,
    tokenPresent: hook.token_present ?? null,
    signingTokenPresent: hook.signing_token_present ?? null,
  }));

export const deployKeySchema = z
  .object({ id, title: z.string(), key: z.string(), can_push: flag })
  .transform((key): DeployKey => ({
    id: key.id,
    title: key.title,
    key: key.key.trim().split(/\s+/).slice(0, 2).join(" "),
    canPush: key.can_push,
  }));

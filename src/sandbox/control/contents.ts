import type { Box } from "../box.ts";
import { readBranches } from "../git/branches.ts";
import { isExpired } from "../auth.ts";
import { alertStatus } from "../webhooks/failures.ts";
import type { Delivery, Hook, Project, Token } from "../state.ts";

/** What a sandbox holds, for people and programs. No secret is in it: no token, no secret of a hook, no body of a webhook. */
export interface Contents {
  readonly version: string;
  readonly url: string;
  readonly users: readonly UserRow[];
  readonly tokens: readonly TokenRow[];
  /** The first hundred. */
  readonly projects: readonly ProjectRow[];
  readonly projectCount: number;
  readonly mergeRequests: readonly MergeRequestRow[];
  readonly hooks: readonly HookRow[];
  /** Webhook calls that are kept back. */
  readonly heldWebhooks: number;
}

interface UserRow {
  readonly id: number;
  readonly username: string;
  readonly condition: string;
  readonly admin: boolean;
}

interface TokenRow {
  readonly id: number;
  readonly user: string;
  readonly name: string;
  readonly scopes: readonly string[];
  readonly state: "active" | "revoked" | "expired";
  readonly expiresAt: string | null;
}

interface ProjectRow {
  readonly id: number;
  readonly path: string;
  readonly visibility: string;
  readonly archived: boolean;
  readonly defaultBranch: string;
  readonly branches: readonly BranchRow[];
}

interface BranchRow {
  readonly name: string;
  readonly commit: string;
  readonly title: string;
  readonly at: string;
}

interface MergeRequestRow {
  readonly project: string;
  readonly iid: number;
  readonly title: string;
  readonly source: string;
  readonly target: string;
  readonly state: string;
}

interface HookRow {
  readonly id: number;
  readonly project: string;
  readonly url: string;
  readonly status: string;
  readonly deliveries: readonly DeliveryRow[];
}

export interface DeliveryRow {
  readonly id: number;
  readonly at: string;
  readonly trigger: string;
  readonly status: number | string;
  readonly error: string | null;
  readonly ms: number;
}

const SHOWN_PROJECTS = 100;
const SHOWN_DELIVERIES = 10;

/** Reads the branches of at most a hundred projects, one process after another. */
export async function showContents(box: Box): Promise<Contents> {
  const { state, version, url } = box;
  const projects: ProjectRow[] = [];
  for (const project of [...state.projects.values()].slice(0, SHOWN_PROJECTS)) {
    projects.push(await projectRow(box, project));
  }
  return {
    version: version.text,
    url,
    users: [...state.users.values()].map(({ id, username, condition, admin }) => ({
      id,
      username,
      condition,
      admin,
    })),
    tokens: [...state.tokens.values()].map((token) => tokenRow(box, token)),
    projects,
    projectCount: state.projects.size,
    mergeRequests: [...state.mergeRequests.values()].map((one) => ({
      project: state.projects.get(one.projectId)?.fullPath ?? "",
      iid: one.iid,
      title: one.title,
      source: one.sourceBranch,
      target: one.targetBranch,
      state: one.state,
    })),
    hooks: [...state.hooks.values()].map((hook) => hookRow(box, hook)),
    heldWebhooks: box.webhooks.held(),
  };
}

function tokenRow({ state }: Box, token: Token): TokenRow {
  const { id, name, scopes, expiresAt } = token;
  const alive = isExpired(state, token) ? "expired" : "active";
  const user = state.users.get(token.userId)?.username ?? "";
  return { id, user, name, scopes, state: token.revoked ? "revoked" : alive, expiresAt };
}

async function projectRow(box: Box, project: Project): Promise<ProjectRow> {
  const { id, fullPath, visibility, archived, defaultBranch } = project;
  const branches = project.emptyRepo ? [] : await readBranches(box.repositories, project);
  return {
    id,
    path: fullPath,
    visibility,
    archived,
    defaultBranch,
    branches: branches.map(({ name, commit }) => ({
      name,
      commit: commit.id,
      title: commit.title,
      at: commit.committedDate,
    })),
  };
}

function hookRow({ state, version }: Box, hook: Hook): HookRow {
  const project = state.projects.get(hook.projectId)?.fullPath ?? "";
  const deliveries = state.deliveries.filter((delivery) => delivery.hookId === hook.id);
  return {
    id: hook.id,
    project,
    url: withoutSecrets(hook.url),
    status: alertStatus(state, version, hook),
    deliveries: deliveries.slice(-SHOWN_DELIVERIES).toReversed().map(deliveryRow),
  };
}

function deliveryRow(delivery: Delivery): DeliveryRow {
  const { id, createdAt, trigger, responseStatus, error, seconds } = delivery;
  return { id, at: createdAt, trigger, status: responseStatus, error, ms: Math.round(seconds * 1000) };
}

/** A hook's URL may hold a password or a key in its query. */
export function withoutSecrets(url: string): string {
  if (!URL.canParse(url)) return "";
  const { origin, pathname } = new URL(url);
  return origin + pathname;
}

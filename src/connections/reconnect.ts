import { sql } from "kysely";
import type { Diagnosis } from "../doctor/diagnosis.ts";
import type { Found } from "../doctor/found.ts";
import { Fault, toFault } from "../faults/fault.ts";
import type { GitLab } from "../gitlab/gitlab.ts";
import { MAINTAINER } from "../gitlab/roles.ts";
import { Secret } from "../kernel/secret.ts";
import type { Vault } from "../secrets/vault.ts";
import type { Store } from "../store/store.ts";
import { tokenPlace, type Clients, type CreateGitLab } from "./clients.ts";
import { foundColumns, toFaultOf, type CheckConnection } from "./connect.ts";
import { writeConnectionEvent } from "./trouble.ts";

export interface ReconnectDeps {
  readonly store: Store;
  readonly vault: Vault;
  readonly clients: Pick<Clients, "open">;
  readonly createGitLab: CreateGitLab;
  readonly checkConnection: CheckConnection;
}

export interface Reconnect {
  readonly token: Secret;
  /** Whether it is done although the user changes or projects get out of reach. */
  readonly accept: boolean;
}

export interface Reconnected {
  readonly diagnosis: Diagnosis;
  /** What is otherwise than with the token before, in words. */
  readonly changes: readonly string[];
  /** False: nothing was stored, because the changes want to be accepted first. */
  readonly applied: boolean;
}

interface Before {
  readonly id: string;
  readonly base_url: string;
  readonly user_id: number | null;
  readonly username: string | null;
  readonly token_kind: string;
  readonly token_expires_at: string | null;
}

/** So many projects are asked for; of more the first are as telling. */
const MOST_PROJECTS = 100;

/** Gives a connection another token; apps, hooks and keys stay as they are. Throws what is wrong with the token, and then nothing has changed. */
export async function reconnect(
  deps: ReconnectDeps,
  id: string,
  wish: Reconnect,
  signal?: AbortSignal,
): Promise<Reconnected> {
  const token = new Secret(wish.token.reveal().trim());
  const before = await deps.store.db
    .selectFrom("connection")
    .select(["id", "base_url", "user_id", "username", "token_kind", "token_expires_at"])
    .where("id", "=", id)
    .executeTakeFirstOrThrow();
  const { network } = await deps.clients.open(before.id);
  const { diagnosis, found } = await deps.checkConnection({ url: before.base_url, token, network, signal });
  if (diagnosis.error) throw toFaultOf(diagnosis.error);
  if (!found)
    throw Fault.of("INTERNAL", "", { message: "The diagnosis was neither sound nor named an error" });
  await using gitlab = deps.createGitLab({ ...network, baseUrl: before.base_url, token });
  const lost = await listLost(deps, before.id, gitlab, found);
  const changes = [...describeChanges(before, found), ...lost];
  const otherUser = before.user_id !== null && found.user !== null && before.user_id !== found.user.id;
  if ((otherUser || lost.length > 0) && !wish.accept) return { diagnosis, changes, applied: false };
  signal?.throwIfAborted();
  await store(deps, before, token, found, changes);
  return { diagnosis, changes, applied: true };
}

async function store(
  deps: ReconnectDeps,
  before: Before,
  token: Secret,
  found: Found,
  changes: readonly string[],
): Promise<void> {
  await deps.store.transaction(async (tx) => {
    await tx
      .updateTable("connection")
      .set({
        ...foundColumns(found),
        token: deps.vault.seal(token, tokenPlace(before.id, before.base_url)),
        checked_at: sql`now()`,
        trouble: null,
        paused_at: null,
        suspect_at: null,
        warned_days: null,
        rotating_at: null,
      })
      .where("id", "=", before.id)
      .execute();
    const text = ["The connection has a new token", ...changes].join("; ");
    await writeConnectionEvent(tx, before.id, "reconnected", text.slice(0, 2000));
  });
}

function describeChanges(before: Before, found: Found): string[] {
  const changes: string[] = [];
  if (before.user_id !== (found.user?.id ?? null)) {
    const now = found.user === null ? "a user it may not name" : `@${found.user.username}`;
    changes.push(
      `its user is ${now} instead of ${before.username === null ? "an unknown one" : `@${before.username}`}: commit statuses carry that name from now on`,
    );
  }
  if (before.token_kind !== found.token.kind)
    changes.push(`it is a ${found.token.kind} token instead of a ${before.token_kind} one`);
  if (before.token_expires_at !== found.token.expiresAt)
    changes.push(
      `it expires ${found.token.expiresAt ?? "never"} instead of ${before.token_expires_at ?? "never"}`,
    );
  return changes;
}

/** The linked projects that the new token cannot work with. */
async function listLost(
  { store: { db } }: ReconnectDeps,
  id: string,
  gitlab: GitLab,
  found: Found,
): Promise<string[]> {
  const projects = await db
    .selectFrom("linked_project")
    .select(["project_id", "path"])
    .where("connection_id", "=", id)
    .orderBy("path")
    .limit(MOST_PROJECTS)
    .execute();
  const verdicts = await Promise.all(
    projects.map(async ({ project_id, path }) => {
      const why = await findObstacle(gitlab, project_id, found.user?.id ?? null);
      return why === null ? [] : [`${path} gets out of reach: ${why}`];
    }),
  );
  return verdicts.flat();
}

async function findObstacle(
  gitlab: GitLab,
  projectId: number,
  userId: number | null,
): Promise<string | null> {
  try {
    const { accessLevel } = await gitlab.getProject(projectId);
    if (accessLevel !== null && accessLevel >= MAINTAINER) return null;
    const level = userId === null ? null : await gitlab.findAccessLevel(projectId, userId);
    return level === null || level >= MAINTAINER ? null : "the role is below Maintainer";
  } catch (error) {
    const fault = toFault(error);
    return fault.retryable ? null : fault.message;
  }
}

import { Fault } from "../faults/fault.ts";
import type { DeployKey, GitLab } from "../gitlab/gitlab.ts";
import { deadline } from "../kernel/clock.ts";
import { isUnclear } from "./hook.ts";

const LOOK_MS = 15_000;

export type KeyOutcome =
  | { readonly made: true; readonly id: number }
  | { readonly made: false; readonly reason: string };

/**
 * Makes the project know the key. GitLab answers the same for a key it has already, so that this may be repeated with the same string.
 * `made: false` where GitLab refuses a key for good: code is fetched over HTTPS anyway. Throws every other Fault.
 */
export async function ensureDeployKey(
  gitlab: GitLab,
  wish: { readonly projectId: number; readonly title: string; readonly publicKey: string },
  signal?: AbortSignal,
): Promise<KeyOutcome> {
  try {
    const key = await createOrFind(gitlab, wish, signal);
    return { made: true, id: key.id };
  } catch (error) {
    const reason = refusal(error);
    if (reason === null) throw error;
    return { made: false, reason };
  }
}

async function createOrFind(
  gitlab: GitLab,
  wish: { readonly projectId: number; readonly title: string; readonly publicKey: string },
  signal?: AbortSignal,
): Promise<DeployKey> {
  try {
    return await gitlab.createDeployKey(wish.projectId, wish.title, wish.publicKey, signal ? { signal } : {});
  } catch (error) {
    if (!isUnclear(error, signal)) throw error;
    const keys = await gitlab.listDeployKeys(wish.projectId, { signal: deadline(LOOK_MS) });
    const made = keys.find((key) => isSameKey(key.key, wish.publicKey));
    if (!made) throw error;
    return made;
  }
}

/** Type and base64 only: GitLab may mask or drop the comment. */
export function isSameKey(one: string, other: string): boolean {
  const body = (key: string): string => key.trim().split(/\s+/).slice(0, 2).join(" ");
  return body(one) === body(other);
}

function refusal(error: unknown): string | null {
  if (!(error instanceof Fault)) return null;
  const refused =
    error.is("DEPLOY_KEY_TAKEN") || error.is("DEPLOY_KEY_FORBIDDEN") || error.is("INSUFFICIENT_ROLE");
  if (!refused) return null;
  const words = error.evidence.words === undefined ? "" : `: ${error.evidence.words.slice(0, 300)}`;
  return `GitLab refused the deploy key (${error.code})${words}. Code is fetched over HTTPS with the connection's token`;
}

import type { Box } from "../box.ts";
import { plain, type Actor } from "../git/permission.ts";
import type { Refusal } from "../reply.ts";
import type { DeployKey, State } from "../state.ts";

/** Whom gitlab-shell greets: the user of a key, nobody in particular for a deploy key. */
export function welcomeName(state: State, keyId: number): string {
  const key = state.sshKeys.get(keyId);
  const user = key && state.users.get(key.userId);
  return user ? `@${user.username}` : "Anonymous";
}

/** Who comes with a key. Throws the refusal of a key that has expired, or is gone since `sshd` let it in. */
export function findActor(box: Box, keyId: number): Actor {
  const { state, version } = box;
  const own = state.sshKeys.get(keyId);
  if (own) {
    if (version.has("sshKeyExpiry")) refuseExpired(state, own.expiresAt);
    return actorOf(state, own.userId, null);
  }
  const deployKey = state.deployKeys.get(keyId);
  if (!deployKey) throw gone();
  if (version.has("deployKeysDieWithOwner")) refuseExpired(state, deployKey.expiresAt);
  return actorOf(state, deployKey.creatorId, deployKey);
}

function refuseExpired(state: State, expiresAt: string | null): void {
  if (expiresAt !== null && Date.parse(expiresAt) <= state.clock.now()) {
    throw plain(403, "Your SSH key has expired.");
  }
}

function actorOf(state: State, userId: number, deployKey: DeployKey | null): Actor {
  const user = state.users.get(userId);
  if (!user) throw gone();
  return { user, deployKey, scopes: null, protocol: "ssh" };
}

function gone(): Refusal {
  return plain(403, "Your SSH key has been removed.");
}

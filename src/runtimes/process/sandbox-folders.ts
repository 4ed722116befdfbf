import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { openPassages } from "./passages.ts";
import type { SandboxGround, SandboxRequest } from "./sandbox-request.ts";
import type { SandboxUser } from "./sandbox-spec.ts";
import { handOver, handOverOnce, shareWithGroup, uidOf } from "./sandbox-user.ts";
import type { Way } from "./ways.ts";

/**
 * One user for each environment: its processes are told apart by their namespaces, and what one built the other may read. Without
 * namespaces each sandbox is a user of its own, because only so can all of its processes be found; they share the environment's group.
 */
export function userOf(
  ground: SandboxGround,
  way: Way,
  request: Pick<SandboxRequest, "id" | "environmentId">,
): SandboxUser {
  if (!way.otherUser) return ground.self;
  const environment = uidOf(request.environmentId, ground.uids);
  return { uid: way.ownTree ? environment : uidOf(request.id, ground.uids), gid: environment };
}

/**
 * Gives the sandbox's user what it works on; once before the first program of a build, and before a replica. Whoever may not see a
 * file tree of its own is kept from Fairlead's by permissions.
 */
export async function handOverFolders(
  ground: SandboxGround,
  way: Way,
  request: Omit<SandboxRequest, "argv" | "env" | "readOnly" | "tasks" | "directory">,
): Promise<void> {
  if (!way.otherUser) return;
  const user = userOf(ground, way, request);
  if (request.cache !== null) await handOverOnce(request.cache, user.uid, user.gid);
  // Without a tree of its own only permissions keep a replica from writing its release.
  const owner = way.ownTree || request.folder.writable ? user.uid : ground.self.uid;
  await handOver(request.folder.path, owner, user.gid);
  if (way.ownTree) return;
  if (!request.folder.writable) await shareWithGroup(request.folder.path);
  const tmp = join(request.launchFolder, "tmp");
  const needed = [request.folder.path, tmp, ...(request.cache === null ? [] : [request.cache])];
  await mkdir(tmp, { recursive: true, mode: 0o700 });
  await openPassages(ground.dataDir, needed);
}

import { parsePublicKey } from "./public-key.ts";
import type { DeployKey, Project, SshKey, State, User } from "./state.ts";

/** Whether a key is known already, to users or to projects: one machine, one owner. */
export function isKeyTaken(state: State, fingerprintSha256: string): boolean {
  const known = [...state.sshKeys.values(), ...state.deployKeys.values()];
  return known.some((key) => key.fingerprintSha256 === fingerprintSha256);
}

export interface NewSshKey {
  readonly user: User;
  readonly title: string;
  readonly key: string;
  readonly expiresAt: string | null;
  readonly usageType: SshKey["usageType"];
}

/** Throws a `RangeError` for what is no public key, or somebody's already. */
export function insertSshKey(state: State, given: NewSshKey): SshKey {
  const { user, title, expiresAt, usageType } = given;
  const key: SshKey = {
    id: state.nextId("key"),
    userId: user.id,
    title,
    ...freshKey(state, given.key),
    createdAt: state.now(),
    expiresAt,
    usageType,
  };
  state.sshKeys.set(key.id, key);
  return key;
}

/** Throws like `insertSshKey`. */
export function insertDeployKey(
  state: State,
  project: Project,
  words: string,
  options: { readonly canPush?: boolean; readonly creator?: User; readonly expiresAt?: string | null },
): DeployKey {
  const key: DeployKey = {
    id: state.nextId("key"),
    title: "deploy key",
    ...freshKey(state, words),
    createdAt: state.now(),
    expiresAt: options.expiresAt ?? null,
    creatorId: options.creator?.id ?? project.creatorId,
    isPublic: false,
  };
  state.deployKeys.set(key.id, key);
  state.deployKeyLinks.add({ projectId: project.id, keyId: key.id, canPush: options.canPush ?? false });
  return key;
}

function freshKey(
  state: State,
  words: string,
): { readonly key: string; readonly fingerprint: string; readonly fingerprintSha256: string } {
  const parsed = parsePublicKey(words);
  if (!parsed) throw new RangeError("no OpenSSH public key");
  if (isKeyTaken(state, parsed.fingerprintSha256)) throw new RangeError("this key is somebody's already");
  return { key: words.trim(), ...parsed };
}

import { readFile, stat } from "node:fs/promises";
import { dirname } from "node:path";

/** A line of /etc/passwd: initdb refuses to run as a user id without one. */
export interface Account {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
}

/**
 * One way of running PostgreSQL, which refuses user id 0. `owner` is who must own its files as seen from outside; null leaves
 * them to whoever makes them.
 */
export interface Identity {
  readonly name: string;
  /** Words in front of the program. */
  readonly prefix: readonly string[];
  readonly owner: { readonly uid: number; readonly gid: number } | null;
  /** Given to the spawn call instead of a prefix, where setpriv is missing. */
  readonly spawnAs: { readonly uid: number; readonly gid: number } | null;
}

/** What to start so that `program` runs as `identity`. */
export function wrapCommand(
  identity: Identity,
  program: string,
  words: readonly string[],
): { readonly file: string; readonly words: string[] } {
  const [first, ...rest] = identity.prefix;
  return first === undefined
    ? { file: program, words: [...words] }
    : { file: first, words: [...rest, program, ...words] };
}

export function parseAccounts(passwd: string): Account[] {
  return passwd.split("\n").flatMap((line) => {
    const [name, , uid, gid] = line.split(":");
    if (!name || !uid || !gid || !/^\d+$/u.test(uid) || !/^\d+$/u.test(gid)) return [];
    return [{ name, uid: Number(uid), gid: Number(gid) }];
  });
}

/** Ends PostgreSQL when its parent dies, however it dies: measured 1.2 to 1.5 s until the checkpoint is written. */
const DIE_WITH_PARENT = ["setpriv", "--pdeathsig", "INT"];

/** The ways to try, best first. Which of them work is found out by running them. */
export async function listIdentities(uid: number, binary: string): Promise<Identity[]> {
  const accounts = parseAccounts(await readFile("/etc/passwd", "utf8").catch(() => ""));
  const mapped = accounts.find((account) => account.name === "nobody") ?? accounts.find((a) => a.uid !== 0);
  if (uid !== 0) return asUser(accounts.some((account) => account.uid === uid) ? undefined : mapped);
  const folderOwner = await stat(dirname(binary)).then((facts) => facts.uid);
  const candidates = [
    accounts.find((account) => account.name === "postgres"),
    accounts.find((account) => account.name === "nobody"),
    // root in a person's checkout: that person can reach it when nobody else can
    accounts.find((account) => account.uid === folderOwner && account.uid !== 0),
  ].filter((account) => account !== undefined);
  return asRoot(candidates, mapped);
}

function asUser(mapped: Account | undefined): Identity[] {
  const own = { owner: null, spawnAs: null };
  const plain: Identity[] = [
    { ...own, name: "user", prefix: [...DIE_WITH_PARENT, "--"] },
    { ...own, name: "user-plain", prefix: [] },
  ];
  return mapped === undefined ? plain : mapInto(mapped, null);
}

function asRoot(accounts: readonly Account[], mapped: Account | undefined): Identity[] {
  const separate = accounts.map(({ name, uid, gid }) => ({
    name: `setpriv-${name}`,
    prefix: [...DIE_WITH_PARENT, `--reuid=${uid}`, `--regid=${gid}`, "--clear-groups", "--"],
    owner: { uid, gid },
    spawnAs: null,
  }));
  const spawned = accounts.map(({ name, uid, gid }) => ({
    name: `spawn-${name}`,
    prefix: [],
    owner: { uid, gid },
    spawnAs: { uid, gid },
  }));
  return [...separate, ...(mapped ? mapInto(mapped, { uid: 0, gid: 0 }) : []), ...spawned];
}

/**
 * A user namespace in which our own id appears as another one: reaches a checkout below /root, which no other user can enter. The signal
 * must be asked for inside, since a change of credentials clears it.
 */
function mapInto(account: Account, owner: Identity["owner"]): Identity[] {
  const map = ["unshare", "-U", `--map-user=${account.uid}`, `--map-group=${account.gid}`, "--"];
  return [
    { name: "unshare", prefix: [...map, ...DIE_WITH_PARENT, "--"], owner, spawnAs: null },
    { name: "unshare-plain", prefix: map, owner, spawnAs: null },
  ];
}

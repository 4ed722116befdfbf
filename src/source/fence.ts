import { link, mkdir, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { Fault } from "../faults/fault.ts";
import { sleep } from "../kernel/clock.ts";
import { randomToken } from "../kernel/ids.ts";
import { killHolders } from "./holders.ts";
import { isGone, thisOwner } from "./owner.ts";

/** How long a living holder of another deployment is waited for. */
const PATIENCE_MS = 120_000;
const POLL_MS = 50;
const REMEMBERED = 32;

const Claim = z.object({
  deploymentId: z.string(),
  attempt: z.number().int(),
  owner: z.string(),
  released: z.boolean(),
  /** Deployments that lost the workspace to a later one, with their last attempt: they may not come back. */
  past: z.array(z.tuple([z.string(), z.number().int()])),
});
export type Claim = z.infer<typeof Claim>;

export interface Fence {
  readonly deploymentId: string;
  readonly attempt: number;
}

export interface Hold {
  /** Rises with every claim of this workspace. */
  readonly number: number;
  /** The file every git command opens and locks while it works in the workspace. */
  readonly lockFile: string;
  /** Ours as long as this file exists: who takes the workspace removes all older ones. The guard script looks for it under the lock. */
  readonly claimFile: string;
  /** As soon as this file exists, somebody else has the workspace. It goes away again with the claim after it. */
  readonly successor: string;
  isLost(): Promise<boolean>;
  [Symbol.asyncDispose](): Promise<void>;
}

/**
 * Takes the workspace for one attempt of one deployment. Claims are numbered files in `folder`; the one with the highest number holds; the
 * next number is created by `link`, which only one can win. A newer attempt kills the git processes of the older one.
 * Throws `LOST_WORKER` when a higher attempt or a later deployment has been here, `GIT_FAILED` (timeout) when the holder lives and
 * does not finish, and the signal's reason.
 */
export async function takeWorkspace(folder: string, fence: Fence, signal: AbortSignal): Promise<Hold> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const until = Date.now() + PATIENCE_MS;
  for (;;) {
    signal.throwIfAborted();
    const current = await readHighest(folder);
    const verdict = decide(current.claim, fence, isGone);
    if (verdict === "refuse") throw lost();
    if (verdict === "take") {
      const hold = await tryTake(folder, current, fence);
      if (hold) return hold;
      continue;
    }
    if (Date.now() > until) throw stillHeld(current.claim);
    await sleep(POLL_MS, signal);
  }
}

/** Who may take a workspace. Pure, so that the table can be tested. */
export function decide(
  current: Claim | null,
  wish: Fence,
  isOwnerGone: (owner: string) => boolean,
): "take" | "wait" | "refuse" {
  if (current === null) return "take";
  const isFree = (): boolean => current.released || isOwnerGone(current.owner);
  if (current.deploymentId === wish.deploymentId) {
    if (wish.attempt < current.attempt) return "refuse";
    return wish.attempt > current.attempt || isFree() ? "take" : "wait";
  }
  if (current.past.some(([id, attempt]) => id === wish.deploymentId && wish.attempt <= attempt))
    return "refuse";
  return isFree() ? "take" : "wait";
}

export function lost(): Fault {
  return Fault.of("LOST_WORKER", "", { message: "A later attempt has taken the workspace" });
}

function stillHeld(claim: Claim | null): Fault {
  return Fault.of("GIT_FAILED", "timeout", {
    retryable: true,
    message: "Another deployment still works in the workspace",
    evidence: { deployment: claim?.deploymentId, attempt: claim?.attempt },
  });
}

interface Numbered {
  readonly number: number;
  readonly claim: Claim | null;
}

async function tryTake(folder: string, current: Numbered, fence: Fence): Promise<Hold | null> {
  const number = current.number + 1;
  const { deploymentId, attempt } = fence;
  const past = pastOf(current.claim, fence);
  const claim: Claim = { deploymentId, attempt, owner: thisOwner(), released: false, past };
  if (!(await createClaim(folder, number, claim))) return null;
  for (const old of await listNumbers(folder))
    if (old < number) await rm(claimFile(folder, old), { force: true });
  const lockFile = join(folder, "lock");
  if (current.claim?.released === false) killHolders(lockFile, () => true);
  const isLost = async (): Promise<boolean> => Math.max(...(await listNumbers(folder)), 0) > number;
  if (await isLost()) return null;
  return {
    number,
    lockFile,
    claimFile: claimFile(folder, number),
    successor: claimFile(folder, number + 1),
    isLost,
    [Symbol.asyncDispose]: async () => {
      if (!(await isLost())) await writeClaim(folder, number, { ...claim, released: true });
    },
  };
}

function pastOf(before: Claim | null, next: Fence): Claim["past"] {
  if (before === null) return [];
  const displaced: Claim["past"] =
    before.deploymentId === next.deploymentId ? [] : [[before.deploymentId, before.attempt]];
  const earlier = before.past.filter(([id]) => id !== before.deploymentId);
  return [...displaced, ...earlier].slice(0, REMEMBERED);
}

function claimFile(folder: string, number: number): string {
  return join(folder, `claim-${number}`);
}

/** False when somebody else created this number first. */
async function createClaim(folder: string, number: number, claim: Claim): Promise<boolean> {
  const draft = join(folder, `draft-${randomToken(9)}`);
  await writeFile(draft, JSON.stringify(claim), { mode: 0o600 });
  try {
    await link(draft, claimFile(folder, number));
    return true;
  } catch (error) {
    if (hasCode(error, "EEXIST")) return false;
    throw error;
  } finally {
    await rm(draft, { force: true });
  }
}

async function writeClaim(folder: string, number: number, claim: Claim): Promise<void> {
  const draft = join(folder, `draft-${randomToken(9)}`);
  await writeFile(draft, JSON.stringify(claim), { mode: 0o600 });
  await rename(draft, claimFile(folder, number));
}

async function listNumbers(folder: string): Promise<number[]> {
  const names = await readdir(folder);
  return names.flatMap((name) => {
    const digits = /^claim-(\d{1,15})$/.exec(name)?.[1];
    return digits === undefined ? [] : [Number(digits)];
  });
}

async function readHighest(folder: string): Promise<Numbered> {
  for (;;) {
    const number = Math.max(...(await listNumbers(folder)), 0);
    if (number === 0) return { number, claim: null };
    try {
      return { number, claim: parseClaim(await readFile(claimFile(folder, number), "utf8")) };
    } catch (error) {
      if (!hasCode(error, "ENOENT")) throw error; // taken meanwhile: look again
    }
  }
}

/** A claim that a power cut left empty belongs to a process that died with it. */
function parseClaim(text: string): Claim | null {
  try {
    return Claim.parse(JSON.parse(text));
  } catch {
    return null;
  }
}

function hasCode(error: unknown, code: string): boolean {
  return error instanceof Error && "code" in error && error.code === code;
}

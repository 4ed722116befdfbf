import { Fault, toFault } from "../faults/fault.ts";
import type { GitLab, Hook, HookSettings } from "../gitlab/gitlab.ts";
import { deadline } from "../kernel/clock.ts";
import type { HookSecrets } from "./apps.ts";
import { hookAddress } from "./hook-address.ts";

/** Milliseconds for the look that settles whether a hook was made, even when the caller's own signal is spent. */
const LOOK_MS = 15_000;

export interface HookWish {
  readonly projectId: number;
  readonly publicUrl: string | null;
  readonly hookPath: string;
  /** What the row remembers, if anything. */
  readonly hookId: number | null;
  readonly secrets: HookSecrets;
  /** Whether a hook path with our address belongs to no row any more, left by a link that could not be taken back. */
  readonly isForgotten: (hookPath: string) => Promise<boolean>;
}

export type HookOutcome =
  | { readonly state: "active"; readonly id: number; readonly signed: boolean }
  | { readonly state: "polling"; readonly reason: string };

/**
 * Brings the project to exactly one hook of ours. Updated in place where there is one, made only where there is none, and after an unclear
 * answer looked for before anything is decided: a second hook would double every delivery. Says `polling` where GitLab refuses a hook for good;
 * throws every other Fault.
 */
export async function ensureHook(gitlab: GitLab, wish: HookWish, signal?: AbortSignal): Promise<HookOutcome> {
  const address = hookAddress(wish.publicUrl, gitlab.baseUrl);
  if (!address.usable) return { state: "polling", reason: address.reason };
  const settings: HookSettings = {
    url: address.receiver + wish.hookPath,
    token: wish.secrets.token,
    signingToken: wish.secrets.signingToken,
    name: "Fairlead",
  };
  try {
    const [first, ...extra] = await findOurs(gitlab, wish, address.receiver, signal);
    for (const hook of extra) await gitlab.deleteHook(wish.projectId, hook.id, call(signal));
    const hook = first
      ? await gitlab.updateHook(wish.projectId, first.id, settings, call(signal))
      : await createOnce(gitlab, wish.projectId, settings, signal);
    return { state: "active", id: hook.id, signed: hook.signingTokenPresent === true };
  } catch (error) {
    const reason = refusal(error, settings.url);
    if (reason === null) throw error;
    return { state: "polling", reason };
  }
}

/** The remembered hook first, then the one with our URL, then what an earlier link of ours left. */
async function findOurs(
  gitlab: GitLab,
  wish: HookWish,
  receiver: string,
  signal?: AbortSignal,
): Promise<readonly Hook[]> {
  const hooks = await gitlab.listHooks(wish.projectId, call(signal));
  const remembered = hooks.filter((hook) => hook.id === wish.hookId);
  const others = hooks.filter((hook) => hook.id !== wish.hookId);
  const exact = others.filter((hook) => hook.url.endsWith(`/hooks/gitlab/${wish.hookPath}`));
  const forgotten: Hook[] = [];
  for (const hook of others) {
    if (exact.includes(hook) || !hook.url.startsWith(receiver)) continue;
    if (await wish.isForgotten(hook.url.slice(receiver.length))) forgotten.push(hook);
  }
  return [...remembered, ...exact, ...forgotten];
}

async function createOnce(
  gitlab: GitLab,
  projectId: number,
  settings: HookSettings,
  signal?: AbortSignal,
): Promise<Hook> {
  try {
    return await gitlab.createHook(projectId, settings, call(signal));
  } catch (error) {
    if (!isUnclear(error, signal)) throw error;
    const hooks = await gitlab.listHooks(projectId, { signal: deadline(LOOK_MS) });
    const made = hooks.find((hook) => hook.url === settings.url);
    if (!made) throw error;
    return made;
  }
}

/** GitLab may have done it although it did not say so. */
export function isUnclear(error: unknown, signal?: AbortSignal): boolean {
  const fault = toFault(error);
  return (
    signal?.aborted === true ||
    fault.is("UNREACHABLE", "timeout") ||
    fault.is("UNREACHABLE", "reset") ||
    fault.is("UNREACHABLE", "proxy") ||
    fault.is("GITLAB_UNAVAILABLE", "bad_gateway") ||
    fault.is("GITLAB_UNAVAILABLE", "error")
  );
}

function refusal(error: unknown, url: string): string | null {
  if (!(error instanceof Fault)) return null;
  const words =
    error.evidence.words === undefined ? "" : ` (GitLab says: ${error.evidence.words.slice(0, 300)})`;
  if (error.is("HOOK_URL_REFUSED")) {
    return `GitLab refuses to call ${new URL(url).origin}${words}: most often because that address is private and an administrator has not allowed it under Admin, Settings, Network, Outbound requests. Fairlead looks at the branches by itself instead`;
  }
  if (error.is("HOOK_LIMIT_REACHED")) {
    return `The project has as many webhooks as GitLab allows${words}. Fairlead looks at the branches by itself instead`;
  }
  if (error.is("INSUFFICIENT_ROLE")) {
    return `The token may not manage this project's webhooks: that takes the role Maintainer${words}. Fairlead looks at the branches by itself instead`;
  }
  return null;
}

function call(signal: AbortSignal | undefined): { signal?: AbortSignal } {
  return signal ? { signal } : {};
}

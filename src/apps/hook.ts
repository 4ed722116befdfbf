import { Fault, toFault } from "../faults/fault.ts";
import type { Instance } from "../faults/places.ts";
import type { GitLab, Hook, HookSettings } from "../gitlab/gitlab.ts";
import { deadline } from "../kernel/clock.ts";
import type { HookSecrets } from "./apps.ts";
import { hookAddress } from "./hook-address.ts";
import { findDrift, isOff } from "./hook-drift.ts";
import { describeRefusal } from "./hook-refusal.ts";

/** Milliseconds for the look that settles whether a hook was made, even when the caller's own signal is spent. */
const LOOK_MS = 15_000;

export interface HookWish {
  readonly projectId: number;
  readonly publicUrl: string | null;
  readonly hookPath: string;
  /** What the row remembers, if anything. */
  readonly hookId: number | null;
  readonly secrets: HookSecrets;
  /** It was set before, so that one that shows no difference is left alone. null: it is set whatever it looks like. */
  readonly settled: { readonly signed: boolean; readonly badSecrets: number } | null;
  /** For the menus that people are sent to. */
  readonly instance: Instance;
  /** Whether a hook path with our address belongs to no row any more, left by a link that could not be taken back. */
  readonly isForgotten: (hookPath: string) => Promise<boolean>;
  /** Called before one is made: from then on there may be one, whatever GitLab answers. */
  readonly onCreating: () => Promise<void>;
  /** Called after each thing that was found wrong and put right, with a sentence for people. */
  readonly onHealed: (text: string) => Promise<void>;
}

export type HookOutcome =
  | {
      readonly state: "active";
      readonly id: number;
      readonly signed: boolean;
      /** GitLab had switched it off. */
      readonly wasOff: boolean;
      /** It still says so. */
      readonly off: boolean;
    }
  | { readonly state: "polling"; readonly reason: string; readonly id: number | null };

/**
 * Brings the project to exactly one hook of ours, as it was made. Updated in place where there is one, made only where there is none, and
 * after an unclear answer looked for before anything is decided: a second hook would double every delivery. Says `polling` where GitLab refuses a
 * hook for good; throws every other Fault.
 */
export async function ensureHook(gitlab: GitLab, wish: HookWish, signal?: AbortSignal): Promise<HookOutcome> {
  const address = hookAddress(wish.publicUrl, gitlab.baseUrl);
  if (!address.usable) return { state: "polling", reason: address.reason, id: wish.hookId };
  const settings: HookSettings = {
    url: address.receiver + wish.hookPath,
    token: wish.secrets.token,
    signingToken: wish.secrets.signingToken,
    name: "Fairlead",
  };
  let id = wish.hookId;
  try {
    const [first, ...extra] = await findOurs(gitlab, wish, address.receiver, signal);
    id = first?.id ?? null;
    await removeExtra(gitlab, wish, extra, signal);
    const hook = first
      ? await setRight(gitlab, wish, first, settings, signal)
      : await make(gitlab, wish, settings, signal);
    const signed = hook.signingTokenPresent === true;
    const wasOff = first !== undefined && isOff(first);
    return { state: "active", id: hook.id, signed, wasOff, off: isOff(hook) };
  } catch (error) {
    const reason = error instanceof Fault ? describeRefusal(error, wish.instance) : null;
    if (reason === null) throw error;
    return { state: "polling", reason, id };
  }
}

/** Lets GitLab call the hook, which switches it on again. The Fault of why GitLab cannot; null: it can, or (before 16.11) cannot be asked. */
export async function proveHook(
  gitlab: GitLab,
  projectId: number,
  hook: { readonly id: number; readonly off: boolean },
  signal?: AbortSignal,
): Promise<Fault | null> {
  try {
    const called = await gitlab.testHook(projectId, hook.id, call(signal));
    return called || !hook.off ? null : Fault.of("HOOK_DISABLED", "");
  } catch (error) {
    const fault = toFault(error);
    if (fault.is("HOOK_UNREACHABLE") || fault.is("HOOK_URL_REFUSED") || fault.is("HOOKS_SILENCED"))
      return fault;
    throw error;
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

async function removeExtra(
  gitlab: GitLab,
  wish: HookWish,
  extra: readonly Hook[],
  signal?: AbortSignal,
): Promise<void> {
  for (const hook of extra) await gitlab.deleteHook(wish.projectId, hook.id, call(signal));
  if (extra.length > 0) {
    const ids = extra.map(({ id }) => id).join(", ");
    await wish.onHealed(`The project had more than one webhook of ours: removed ${ids}`);
  }
}

async function setRight(
  gitlab: GitLab,
  wish: HookWish,
  hook: Hook,
  settings: HookSettings,
  signal?: AbortSignal,
): Promise<Hook> {
  const drift = wish.settled === null ? [] : findDrift(hook, { url: settings.url, ...wish.settled });
  // Tried without a word: a GitLab that was updated since may sign now, and some versions switch a hook on again when it is saved.
  const mayHelp = hook.signingTokenPresent === false || isOff(hook);
  if (wish.settled !== null && drift.length === 0 && !mayHelp) return hook;
  try {
    const kept = await gitlab.updateHook(wish.projectId, hook.id, settings, call(signal));
    if (drift.length > 0)
      await wish.onHealed(
        `The webhook ${hook.id} was not as it was made and is set right: ${drift.join("; ")}`,
      );
    return kept;
  } catch (error) {
    if (!toFault(error).is("NOT_FOUND")) throw error;
    return make(gitlab, wish, settings, signal); // deleted since the look
  }
}

async function make(
  gitlab: GitLab,
  wish: HookWish,
  settings: HookSettings,
  signal?: AbortSignal,
): Promise<Hook> {
  await wish.onCreating();
  const made = await createOnce(gitlab, wish.projectId, settings, signal);
  if (wish.settled !== null && wish.hookId !== null)
    await wish.onHealed(`The webhook ${wish.hookId} was gone from GitLab: made again as ${made.id}`);
  return made;
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

function call(signal: AbortSignal | undefined): { signal?: AbortSignal } {
  return signal ? { signal } : {};
}

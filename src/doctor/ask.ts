import { toFault, type Fault } from "../faults/fault.ts";
import type { GitLab, InstanceInfo, InstanceSettings, TokenInfo, UserInfo } from "../gitlab/gitlab.ts";
import { sleep } from "../kernel/clock.ts";

/** An answer that waits until the check whose it is reads it. */
export type Told<T> = { readonly value: T; readonly fault?: undefined } | { readonly fault: Fault };

/**
 * What GitLab is asked at once, as soon as it has proved to be GitLab: with 100 ms a request a person would otherwise wait for each check in
 * turn. None of it changes anything.
 */
export interface Asked {
  readonly instance: Promise<Told<InstanceInfo>>;
  /** null: this GitLab does not say what a token is, or not truly. */
  readonly token: Promise<Told<TokenInfo | null>>;
  readonly user: Promise<Told<UserInfo>>;
  /** Whether the token has `api`, by the probe: asked only where the token's own page does not tell. */
  readonly api: Promise<Told<boolean>>;
  /** Only where the token's user is an administrator; else null. */
  readonly settings: Promise<Told<InstanceSettings | null>>;
}

export function askGitLab(gitlab: GitLab, signal: AbortSignal): Asked {
  const instance = tell(() => gitlab.instance({ signal }));
  const token = tell(() => twice(() => gitlab.findToken({ signal }), signal));
  const user = tell(() => twice(() => gitlab.getUser({ signal }), signal));
  return {
    instance,
    token,
    user,
    settings: tell(async () => {
      const told = await user;
      return !told.fault && told.value.admin ? gitlab.findSettings({ signal }) : null;
    }),
    api: tell(() => probe(gitlab, { instance, token }, signal)),
  };
}

/** A fine-grained token lists no permissions: one that may create projects shows it in the same way. */
async function probe(
  gitlab: GitLab,
  { instance, token }: Pick<Asked, "instance" | "token">,
  signal: AbortSignal,
): Promise<boolean> {
  if (!isWithoutSelf(await instance)) {
    const told = await token;
    if (told.fault) return false;
    if (told.value && !told.value.scopes.includes("granular")) return told.value.scopes.includes("api");
  }
  await gitlab.probeApiScope({ signal });
  return true;
}

/** Before 15.5 the token's own page does not tell for certain: the probe need not wait for that. */
function isWithoutSelf(told: Told<InstanceInfo>): boolean {
  const [major = 0, minor = 0] = (told.fault ? "" : (told.value.version ?? "")).split(".").map(Number);
  return major > 0 && (major < 15 || (major === 15 && minor < 5));
}

/** A failing LDAP server makes GitLab say "blocked" for a single request: a second one tells the truth. */
async function twice<T>(ask: () => Promise<T>, signal: AbortSignal): Promise<T> {
  try {
    return await ask();
  } catch (error) {
    if (!toFault(error).is("ACCOUNT_UNUSABLE", "blocked")) throw error;
    await sleep(1000, signal);
    return ask();
  }
}

async function tell<T>(ask: () => Promise<T>): Promise<Told<T>> {
  try {
    return { value: await ask() };
  } catch (error) {
    return { fault: toFault(error) };
  }
}

import { Fault } from "../faults/fault.ts";
import { deadline } from "../kernel/clock.ts";
import { identifyGitLab } from "./identify.ts";
import type { Call } from "./gitlab.ts";
import type { Network } from "./network.ts";
import { changeUrl, type InstanceUrl } from "./url.ts";

export interface Located {
  readonly base: InstanceUrl;
  /** How it differs from what was asked for, in words; null: it does not. */
  readonly note: string | null;
}

const TRY_MS = 3000;
const MAX_TRIES = 4;
const SCHEME_MS = 4000;
const SILENT = "https:// does not answer there, http:// does";

/**
 * Where GitLab is, given about where: people paste the address of a project or a sign-in page, or leave the sub-path out. One request when the
 * address is right, at most four more when not, all to the same host and without a token. Throws the reaching codes as `identifyGitLab` does.
 */
export async function locateGitLab(base: InstanceUrl, network: Network, call: Call = {}): Promise<Located> {
  try {
    await identifyGitLab({ ...network, baseUrl: base.baseUrl }, call);
    return { base, note: null };
  } catch (error) {
    if (!(error instanceof Fault)) throw error;
    return nearby(error, base, network, call);
  }
}

/** Where nobody said which scheme: http if https does not answer and http does, else https. Throws nothing: what is wrong is told where it is met again. */
export async function chooseScheme(base: InstanceUrl, network: Network, call: Call = {}): Promise<Located> {
  if (!base.schemeAdded) return { base, note: null };
  try {
    const signal = deadline(SCHEME_MS, call.signal);
    await identifyGitLab({ ...network, baseUrl: base.baseUrl }, { signal });
  } catch (error) {
    if (!(error instanceof Fault) || !isSilent(error)) return { base, note: null };
    const plain = changeUrl(base, { scheme: "http" });
    if (await isSomewhere(plain, network, call)) return { base: plain, note: SILENT };
  }
  return { base, note: null };
}

/** Nothing speaks https there. A certificate that is not trusted, or a name that is not known, is no reason to do without encryption. */
function isSilent(fault: Fault): boolean {
  return (
    fault.is("UNREACHABLE", "refused") ||
    fault.is("UNREACHABLE", "reset") ||
    fault.is("UNREACHABLE", "timeout")
  );
}

async function isSomewhere(base: InstanceUrl, network: Network, call: Call): Promise<boolean> {
  try {
    await locateGitLab(base, network, call);
    return true;
  } catch (error) {
    if (error instanceof Fault) return false; // what https had to say is the news
    throw error;
  }
}

async function nearby(fault: Fault, base: InstanceUrl, network: Network, call: Call): Promise<Located> {
  for (const path of candidates(fault, base)) {
    const candidate = changeUrl(base, { path });
    const signal = deadline(TRY_MS, call.signal);
    if (call.signal?.aborted || !(await isGitLab(candidate, network, { signal }))) continue;
    return { base: candidate, note: `not below ${new URL(base.baseUrl).pathname}` };
  }
  throw fault;
}

/** Sub-paths to try: the one a sign-in page of GitLab's is below, then the given one's beginnings, the shortest first, then GitLab's usual one. */
function candidates(fault: Fault, { baseUrl, origin }: InstanceUrl): string[] {
  const signIn = signInBase(fault, origin);
  if (!fault.is("NOT_GITLAB") && signIn === null) return [];
  const given = baseUrl.slice(origin.length);
  const segments = given.split("/").filter((segment) => segment !== "");
  const parents = segments.map((_, length) =>
    segments
      .slice(0, length)
      .map((segment) => `/${segment}`)
      .join(""),
  );
  const paths = [...(signIn === null ? [] : [signIn]), ...parents, "/gitlab"];
  return [...new Set(paths)].filter((path) => path !== given).slice(0, MAX_TRIES);
}

/** GitLab sends strangers who ask for a page to its sign-in page: `/gitlab/users/sign_in` says where it lives. */
function signInBase(fault: Fault, origin: string): string | null {
  const { to } = fault.evidence;
  if (!fault.is("REDIRECTED", "login") || typeof to !== "string" || !URL.canParse(to)) return null;
  const url = new URL(to);
  const page = /^((?:\/[^/]+)*)\/users\/sign_in$/.exec(url.pathname);
  return url.origin === origin ? (page?.[1] ?? null) : null;
}

async function isGitLab({ baseUrl }: InstanceUrl, network: Network, call: Call): Promise<boolean> {
  try {
    await identifyGitLab({ ...network, baseUrl }, call);
    return true;
  } catch (error) {
    if (error instanceof Fault) return false;
    throw error;
  }
}

import { Fault } from "../faults/fault.ts";
import { placesOf } from "../faults/places.ts";
import type { GitLab } from "../gitlab/gitlab.ts";
import { sleep } from "../kernel/clock.ts";
import type { TokenKind } from "./found.ts";
import { toInstance } from "./run-checks.ts";
import { need, type CheckDefinition, type Outcome, type Visit } from "./visit.ts";

/** From "GitLab answers" to "this token can do the work". */
export const TOKEN_CHECKS: readonly CheckDefinition[] = [
  { id: "gitlab.version", about: "GitLab's version", run: checkVersion },
  { id: "token.alive", about: "Whether the token is alive", run: checkAlive },
  { id: "token.kind", about: "The kind of token", run: checkKind },
  { id: "token.scopes", about: "The token's scopes", run: checkScopes },
  { id: "token.expiry", about: "The token's expiry", run: checkExpiry },
  { id: "user.state", about: "The token's user", run: checkUser },
];

/** The oldest GitLab whose behaviour is known. */
const OLDEST = [10, 5] as const;

/** A token that may not read the version, or is no good at all, is told by the checks that come. */
async function checkVersion(visit: Visit, signal: AbortSignal): Promise<Outcome> {
  try {
    visit.learnt.instance = await gitlabOf(visit).instance({ signal });
  } catch (error) {
    if (!(error instanceof Fault) || !isAboutToken(error)) throw error;
  }
  return visit.learnt.instance?.version
    ? describeVersion(visit.learnt.instance.version, visit.learnt.instance.edition)
    : { state: "unknown", title: "The token may not read GitLab's version" };
}

function describeVersion(version: string, edition: string): Outcome {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  const title = `GitLab ${version} (${edition.toUpperCase()})`;
  if (major > OLDEST[0] || (major === OLDEST[0] && minor >= OLDEST[1])) return { state: "ok", title };
  const fix = "Upgrade GitLab to 10.5 or later.";
  return { state: "warn", title: `${title} is older than what Fairlead knows`, fix };
}

function isAboutToken(fault: Fault): boolean {
  return ["AUTH_FAILED", "ACCOUNT_UNUSABLE", "INSUFFICIENT_SCOPES", "INSUFFICIENT_ROLE"].includes(fault.code);
}

async function checkAlive(visit: Visit, signal: AbortSignal): Promise<Outcome> {
  try {
    visit.learnt.token = await readToken(gitlabOf(visit), signal);
  } catch (error) {
    const teller = error instanceof Fault ? whoTells(error) : null;
    if (!(error instanceof Fault) || teller === null) throw error;
    visit.postponed.set(teller, error);
  }
  return { state: "ok", title: "GitLab knows the token" };
}

/** A failing LDAP server makes GitLab say "blocked" for a single request: a second one tells the truth. */
async function readToken(
  gitlab: GitLab,
  signal: AbortSignal,
): Promise<Awaited<ReturnType<GitLab["findToken"]>>> {
  try {
    return await gitlab.findToken({ signal });
  } catch (error) {
    if (!(error instanceof Fault) || !error.is("ACCOUNT_UNUSABLE", "blocked")) throw error;
    await sleep(1000, signal);
    return gitlab.findToken({ signal });
  }
}

/** Which check a refusal belongs to that says, in passing, that the token as such is known. */
function whoTells(fault: Fault): string | null {
  if (fault.is("AUTH_FAILED", "wrong_kind")) return "token.kind";
  if (fault.is("ACCOUNT_UNUSABLE")) return "user.state";
  return null;
}

async function checkKind(visit: Visit, signal: AbortSignal): Promise<Outcome> {
  if (!visit.postponed.has("user.state")) {
    try {
      visit.learnt.user = await gitlabOf(visit).getUser({ signal });
    } catch (error) {
      // Tokens for git alone and fine-grained ones may not ask whose they are.
      if (!(error instanceof Fault) || !(error.is("INSUFFICIENT_SCOPES") || error.is("INSUFFICIENT_ROLE")))
        throw error;
    }
  }
  const { user, token } = visit.learnt;
  const evidence = [token?.name ? `“${token.name}”` : "", user ? `of @${user.username}` : ""]
    .filter(Boolean)
    .join(" ");
  const title = `A ${KIND_WORDS[kindOf(visit)]} access token`;
  return evidence === "" ? { state: "ok", title } : { state: "ok", title, evidence };
}

const KIND_WORDS: Readonly<Record<TokenKind, string>> = {
  personal: "personal",
  project: "project",
  group: "group",
  granular: "fine-grained personal",
};

/** Project and group tokens belong to a user that GitLab makes for them and names in a fixed way. */
export function kindOf(visit: Visit): TokenKind {
  const { token, user } = visit.learnt;
  if (token?.scopes.includes("granular")) return "granular";
  const bot = /^(project|group)_\d+_bot/.exec(user?.username ?? "")?.[1];
  if (!user?.bot || bot === undefined) return "personal";
  return bot === "project" ? "project" : "group";
}

async function checkScopes(visit: Visit, signal: AbortSignal): Promise<Outcome> {
  if (visit.postponed.has("user.state")) return unreadable("scopes");
  const { learnt } = visit;
  const names = learnt.token?.scopes ?? null;
  if (names === null) {
    await gitlabOf(visit).probeApiScope({ signal });
    learnt.scopes = { names: ["api"], by: "probe" };
    return {
      state: "ok",
      title: "The token has the scope api",
      evidence: "found out by a request that changes nothing",
    };
  }
  learnt.scopes = { names, by: "self" };
  const listed = names.join(", ");
  if (names.includes("granular")) return checkPermissions(visit, signal);
  if (names.includes("api"))
    return { state: "ok", title: "The token has the scope api", evidence: `scopes: ${listed}` };
  throw Fault.of("INSUFFICIENT_SCOPES", "missing_api", {
    evidence: {
      method: "GET",
      pathTemplate: "/personal_access_tokens/self",
      status: 200,
      scopes: listed || "none",
    },
  });
}

/** The permissions of a fine-grained token cannot be listed, and each project may have others: what it lacks shows when it is used. */
async function checkPermissions(visit: Visit, signal: AbortSignal): Promise<Outcome> {
  const title = "What this fine-grained token may do shows when it is used";
  const fix = `If linking a project fails, make a legacy token with the scope api: ${placesOf(toInstance(visit)).tokenPage()}.`;
  try {
    await gitlabOf(visit).probeApiScope({ signal });
    return { state: "warn", title, evidence: "it may create projects", fix };
  } catch (error) {
    if (!(error instanceof Fault) || !error.is("INSUFFICIENT_SCOPES")) throw error;
    return { state: "warn", title, evidence: "it may not create projects", fix };
  }
}

const WARN_DAYS = 30;

function checkExpiry(visit: Visit): Outcome {
  const { token } = visit.learnt;
  if (!token) {
    if (visit.postponed.has("user.state")) return unreadable("expiry");
    return { state: "unknown", title: "This GitLab does not say when the token expires" };
  }
  if (token.expiresAt === null) return { state: "ok", title: "The token does not expire" };
  const days = Math.ceil((Date.parse(token.expiresAt) - visit.clock.now()) / 86_400_000);
  const evidence = `expires ${token.expiresAt}, 00:00 UTC`;
  if (days > WARN_DAYS) return { state: "ok", title: `The token lives for ${days} more days`, evidence };
  return {
    state: "warn",
    title: days <= 1 ? "The token expires within a day" : `The token expires in ${days} days`,
    evidence,
    fix: `Make the next one in time: ${placesOf(toInstance(visit)).tokenPage()}.`,
  };
}

/** Reached only when GitLab had nothing to say against the account: trouble with it is told before. */
function checkUser(visit: Visit): Outcome {
  const { user } = visit.learnt;
  if (!user) return { state: "unknown", title: "The token may not tell whose it is" };
  const traits = [user.bot ? "a bot" : "", user.admin ? "an administrator" : ""].filter(Boolean);
  const title = `@${user.username} can be used`;
  return traits.length === 0 ? { state: "ok", title } : { state: "ok", title, evidence: traits.join(", ") };
}

function unreadable(what: string): Outcome {
  return { state: "unknown", title: `The token's ${what} cannot be read while its user is barred` };
}

function gitlabOf(visit: Visit): GitLab {
  return need(visit.learnt.gitlab, "a GitLab");
}

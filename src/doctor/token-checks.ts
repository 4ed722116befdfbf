import { Fault } from "../faults/fault.ts";
import { placesOf } from "../faults/places.ts";
import type { TokenKind } from "./found.ts";
import { toInstance } from "./run-checks.ts";
import { need, type CheckDefinition, type Outcome, type Visit } from "./visit.ts";

/** From "GitLab answers" to "this token can do the work". What they need was asked at once when GitLab had proved to be GitLab. */
export const TOKEN_CHECKS: readonly CheckDefinition[] = [
  { id: "token.alive", about: "Whether the token is alive", run: checkAlive },
  { id: "token.kind", about: "The kind of token", run: checkKind },
  { id: "token.scopes", about: "The token's scopes", run: checkScopes },
  { id: "token.expiry", about: "The token's expiry", run: checkExpiry },
  { id: "user.state", about: "The token's user", run: checkUser },
];

async function checkAlive(visit: Visit): Promise<Outcome> {
  const told = await need(visit.learnt.asked, "questions").token;
  if (!told.fault) visit.learnt.token = told.value;
  else if (await isOfOAuth(visit, told.fault)) {
    const { evidence } = told.fault;
    visit.postponed.set("token.kind", Fault.of("AUTH_FAILED", "wrong_kind", { evidence }));
  } else {
    const teller = whoTells(told.fault);
    if (teller === null) throw told.fault;
    visit.postponed.set(teller, told.fault);
  }
  return { state: "ok", title: "GitLab knows the token" };
}

/** From 17.8 on GitLab says that a token of OAuth is of another kind; from 15.5 on its page about the token ends in an error, and it alone. */
async function isOfOAuth(visit: Visit, fault: Fault): Promise<boolean> {
  const [major = 0, minor = 0] = (visit.learnt.instance?.version ?? "").split(".").map(Number);
  const isSilent = major === 16 || (major === 15 && minor >= 5) || (major === 17 && minor < 8);
  if (!isSilent || fault.evidence.status !== 500) return false;
  return (await need(visit.learnt.asked, "questions").user).fault === undefined;
}

/** Which check a refusal belongs to that says, in passing, that the token as such is known. */
function whoTells(fault: Fault): string | null {
  if (fault.is("AUTH_FAILED", "wrong_kind")) return "token.kind";
  if (fault.is("ACCOUNT_UNUSABLE")) return "user.state";
  return null;
}

async function checkKind(visit: Visit): Promise<Outcome> {
  const told = await need(visit.learnt.asked, "questions").user;
  if (!told.fault) visit.learnt.user = told.value;
  else if (told.fault.is("ACCOUNT_UNUSABLE")) visit.postponed.set("user.state", told.fault);
  // Tokens for git alone and fine-grained ones may not ask whose they are.
  else if (!told.fault.is("INSUFFICIENT_SCOPES") && !told.fault.is("INSUFFICIENT_ROLE")) throw told.fault;
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

async function checkScopes(visit: Visit): Promise<Outcome> {
  if (visit.postponed.has("user.state")) return unreadable("scopes");
  const { learnt } = visit;
  const names = learnt.token?.scopes ?? null;
  if (names === null) return probedScopes(visit);
  learnt.scopes = { names, by: "self" };
  const listed = names.join(", ");
  if (names.includes("granular")) return checkPermissions(visit);
  if (names.includes("api")) return tellWidth(visit, names);
  throw Fault.of("INSUFFICIENT_SCOPES", "missing_api", {
    evidence: {
      method: "GET",
      pathTemplate: "/personal_access_tokens/self",
      status: 200,
      scopes: listed || "none",
    },
  });
}

async function probedScopes(visit: Visit): Promise<Outcome> {
  const told = await need(visit.learnt.asked, "questions").api;
  if (told.fault) throw told.fault;
  visit.learnt.scopes = { names: ["api"], by: "probe" };
  return {
    state: "ok",
    title: "The token has the scope api",
    evidence: "found out by a request that changes nothing",
  };
}

/** What these scopes add is never needed here, and whoever gets hold of the token has it. */
const TOO_WIDE: Readonly<Record<string, string>> = {
  sudo: "with sudo it may act as any user of this GitLab",
  admin_mode: "with admin_mode it may change the settings of this GitLab",
};

function tellWidth(visit: Visit, names: readonly string[]): Outcome {
  const evidence = `scopes: ${names.join(", ")}`;
  const reasons = names.flatMap((name) => TOO_WIDE[name] ?? []);
  if (reasons.length === 0) return { state: "ok", title: "The token has the scope api", evidence };
  return {
    state: "warn",
    title: "The token may do more than is needed",
    evidence: `${evidence}; ${reasons.join(", ")}`,
    fix: `Make one with the scope api alone, and revoke this one: ${placesOf(toInstance(visit)).tokenPage()}.`,
  };
}

/** The permissions of a fine-grained token cannot be listed, and each project may have others: `--project` tries those of one. */
async function checkPermissions(visit: Visit): Promise<Outcome> {
  const { api } = need(visit.learnt.asked, "questions");
  const title = "What this fine-grained token may do differs by project";
  const fix =
    "Check a project as well, which tries every permission: --project GROUP/PROJECT. " +
    `If one is missing, add it, or make a legacy token with the scope api: ${placesOf(toInstance(visit)).tokenPage()}.`;
  const told = await api;
  if (!told.fault) return { state: "warn", title, evidence: "it may create projects", fix };
  if (!told.fault.is("INSUFFICIENT_SCOPES")) throw told.fault;
  return { state: "warn", title, evidence: "it may not create projects", fix };
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
  const title = `@${user.username} can be used`;
  if (user.bot) return { state: "ok", title, evidence: "a bot" };
  if (!user.admin) {
    return {
      state: "ok",
      title,
      evidence: "a person's account ends with the person: a user made for deployments lasts",
    };
  }
  return {
    state: "warn",
    title: `@${user.username} is an administrator`,
    evidence: "whoever gets hold of this token has the whole GitLab",
    fix:
      "Make a user for deployments alone, Maintainer of the projects it deploys, and use a token of that user; " +
      `or a project or group access token. Users are made at ${placesOf(toInstance(visit)).adminUsers()}.`,
  };
}

function unreadable(what: string): Outcome {
  return { state: "unknown", title: `The token's ${what} cannot be read while its user is barred` };
}

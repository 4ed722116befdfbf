import { explain } from "../faults/catalogue.ts";
import type { Fault } from "../faults/fault.ts";
import { toFacts } from "../faults/problem.ts";
import { createGitLab } from "../gitlab/client.ts";
import type { GitLab, GitLabOptions } from "../gitlab/gitlab.ts";
import type { Network } from "../gitlab/network.ts";
import { createRedactor, toWords } from "../gitlab/redact.ts";
import { systemClock, type Clock } from "../kernel/clock.ts";
import type { Secret } from "../kernel/secret.ts";
import { checkProjects, projectsNotReached } from "./check-projects.ts";
import type { Check, Diagnosis, DiagnosisError } from "./diagnosis.ts";
import type { Found, FoundToken } from "./found.ts";
import { INSTANCE_CHECKS, LIMIT_CHECKS } from "./instance-checks.ts";
import { DELIVERIES_CHECK, OBSERVATION_CHECKS } from "./observation-checks.ts";
import type { Observations } from "./observations.ts";
import { REACH_CHECKS } from "./reach-checks.ts";
import { notReached, runChecks, toInstance, type Ran } from "./run-checks.ts";
import { SETTINGS_CHECK } from "./settings-check.ts";
import { kindOf, TOKEN_CHECKS } from "./token-checks.ts";
import type { CheckDefinition, ProjectTarget, Step, Visit, Wishes } from "./visit.ts";

export interface CheckRequest {
  /** As somebody pasted it. */
  readonly url: string;
  readonly token: Secret;
  readonly network?: Network | undefined;
  /** Projects to look at besides. */
  readonly projects?: readonly ProjectTarget[] | undefined;
  readonly wishes?: Partial<Wishes> | undefined;
  readonly createGitLab?: ((options: GitLabOptions) => GitLab) | undefined;
  readonly clock?: Clock | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface Checked {
  readonly diagnosis: Diagnosis;
  /** null unless the diagnosis is ok. */
  readonly found: Found | null;
}

/**
 * Diagnoses an address and a token, and the given projects: checks in causal order, each at most ten seconds, that stop at the first broken layer.
 * Changes nothing in GitLab, and shows the token only to what has proved to be GitLab. Throws `CANCELLED` when the signal aborts; everything else
 * is in the diagnosis.
 */
export async function checkConnection(request: CheckRequest, observations?: Observations): Promise<Checked> {
  const visit = startVisit(request, observations ?? null);
  try {
    const { checks, fault } = await runAll(visit, request.projects ?? [], request.signal);
    const { instance } = visit.learnt;
    const diagnosis: Diagnosis = {
      schema: 1,
      ok: fault === null,
      instance: {
        url: visit.learnt.base?.baseUrl ?? showPasted(request),
        version: instance?.version ?? null,
        edition: instance === null || instance.edition === "unknown" ? null : instance.edition,
      },
      token: toToken(visit),
      checks,
      error: fault && toError(fault, visit),
    };
    return { diagnosis, found: fault ? null : toFound(visit) };
  } finally {
    await visit.learnt.gitlab?.[Symbol.asyncDispose]();
  }
}

const CONNECTION_STEPS: readonly Step[] = [
  ...REACH_CHECKS,
  ...INSTANCE_CHECKS,
  ...TOKEN_CHECKS,
  ...LIMIT_CHECKS,
  SETTINGS_CHECK,
];

async function runAll(
  visit: Visit,
  targets: readonly ProjectTarget[],
  signal: AbortSignal | undefined,
): Promise<Ran> {
  const connection = await runChecks(CONNECTION_STEPS, visit, signal);
  const observing = observationSteps(visit, targets);
  if (connection.fault) {
    const rest = [...projectsNotReached(targets), ...observing.map(notReached)];
    return { checks: inOrder([...connection.checks, ...rest]), fault: connection.fault };
  }
  const [projects, observed] = await Promise.all([
    checkProjects(visit, targets, signal),
    runChecks(observing, visit, signal),
  ]);
  return {
    checks: inOrder([...connection.checks, ...projects.checks, ...observed.checks]),
    fault: projects.fault ?? observed.fault,
  };
}

function observationSteps(visit: Visit, targets: readonly ProjectTarget[]): readonly CheckDefinition[] {
  if (visit.observations === null) return [];
  return targets.length === 0 ? [DELIVERIES_CHECK, ...OBSERVATION_CHECKS] : OBSERVATION_CHECKS;
}

/** What is told first when several things are wrong. The ids never change their meaning; where they stand may. */
const ORDER = [
  "project.visible",
  "project.role",
  "git.binary",
  "git.read",
  "git.ssh",
  "hook.address",
  "hook.present",
  "hook.deliveries",
  "hook.roundtrip",
  "hook.gap",
  "status.write",
  "admin.settings",
];

function inOrder(checks: readonly Check[]): readonly Check[] {
  return checks.toSorted((one, other) => ORDER.indexOf(one.id) - ORDER.indexOf(other.id));
}

/** Where nobody says otherwise. */
const SEARCH_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

function startVisit(request: CheckRequest, observations: Observations | null): Visit {
  return {
    url: request.url,
    token: request.token,
    network: request.network ?? {},
    clock: request.clock ?? systemClock,
    createGitLab: request.createGitLab ?? createGitLab,
    observations,
    wishes: {
      probe: request.wishes?.probe ?? false,
      publicUrl: request.wishes?.publicUrl,
      ssh: request.wishes?.ssh ?? null,
      searchPath: request.wishes?.searchPath ?? SEARCH_PATH,
    },
    learnt: {
      base: null,
      gitlab: null,
      asked: null,
      instance: null,
      token: null,
      user: null,
      scopes: null,
      git: null,
    },
    postponed: new Map(),
  };
}

function toError(fault: Fault, visit: Visit): DiagnosisError {
  const { baseUrl, version } = toInstance(visit);
  const { title, cause, fix } = explain(fault, toInstance(visit));
  const evidence = toFacts({
    ...fault.evidence,
    ...(baseUrl === undefined ? {} : { instance: baseUrl }),
    ...(version ? { gitlabVersion: version } : {}),
  });
  return { code: fault.code, reason: fault.reason, title, cause, fix, evidence };
}

/** What is known of the token; null as long as GitLab has not accepted it. */
function toToken(visit: Visit): Diagnosis["token"] {
  const { token, user, scopes } = visit.learnt;
  if (token === null && user === null && scopes === null) return null;
  return { ...describeToken(visit), user: user?.username ?? null };
}

function describeToken(visit: Visit): FoundToken {
  const { token, scopes } = visit.learnt;
  return {
    kind: kindOf(visit),
    name: token?.name ?? null,
    scopes: scopes?.names ?? [],
    scopesKnownBy: scopes?.by ?? (token ? "self" : "probe"),
    expiresAt: token?.expiresAt ?? null,
  };
}

function toFound(visit: Visit): Found | null {
  const { base, instance, user } = visit.learnt;
  if (!base) return null;
  return {
    baseUrl: base.baseUrl,
    webUrl: webUrlOf(user) ?? base.baseUrl,
    version: instance?.version ?? null,
    edition: instance?.edition ?? "unknown",
    token: describeToken(visit),
    user: user && { id: user.id, username: user.username },
  };
}

/** A user's page is the instance's address and the user's name. */
function webUrlOf(user: Visit["learnt"]["user"]): string | null {
  const page = user?.webUrl ?? "";
  const end = `/${user?.username ?? ""}`;
  const url = page.endsWith(end) ? page.slice(0, -end.length) : "";
  return /^https?:\/\/[^\s/]/.test(url) && URL.canParse(url) ? url : null;
}

/** What somebody pasted may hold a password, or be the token itself. */
function showPasted({ url, token }: CheckRequest): string {
  const shown = toWords(url, createRedactor(token), 200);
  return /gl[a-z]{2,6}-/i.test(shown) ? "[redacted]" : shown.replace(/^([a-z]+:\/\/)?.*@/i, "$1…@");
}

import { createHash } from "node:crypto";
import type { Project, State } from "./state.ts";
import type { Environment, Tier } from "./work-rows.ts";

export interface NewEnvironment {
  readonly name: string;
  readonly externalUrl?: string | undefined;
  readonly description?: string | undefined;
  readonly tier?: Tier | undefined;
  readonly autoStopSetting?: Environment["autoStopSetting"] | undefined;
}

export function environmentsOf(state: State, project: Project): Environment[] {
  return [...state.environments.values()].filter((row) => row.projectId === project.id);
}

/** What GitLab's model has against a new environment, field by field. */
export function problemsOfEnvironment(
  state: State,
  project: Project,
  given: NewEnvironment,
): Readonly<Record<string, readonly string[]>> {
  const twin = environmentsOf(state, project).some((row) => row.name === given.name);
  const problems = {
    name: [...(twin ? ["has already been taken"] : []), ...nameProblems(given.name)],
    slug: twin ? ["has already been taken"] : [],
    external_url: urlProblems(given.externalUrl),
  };
  return Object.fromEntries(Object.entries(problems).filter(([, words]) => words.length > 0));
}

function nameProblems(name: string): string[] {
  const good = /^[A-Za-z0-9_\-\\${}. ](?:[A-Za-z0-9_\-\\/${}. ]*[A-Za-z0-9_\-\\${}. ])?$/.test(name);
  return [
    ...(name.length > 255 ? ["is too long (maximum is 255 characters)"] : []),
    ...(good
      ? []
      : [
          "can contain only letters, digits, '-', '_', '/', '$', '{', '}', '.', and spaces, but it cannot start or end with '/'",
        ]),
  ];
}

export function urlProblems(url: string | undefined): string[] {
  if (url === undefined || url === "") return [];
  const scheme = URL.canParse(url) ? new URL(url).protocol : null;
  return [
    ...(url.length > 255 ? ["is too long (maximum is 255 characters)"] : []),
    ...(scheme === null ? ["is blocked: URI is invalid"] : []),
    ...(scheme !== null && scheme !== "http:" && scheme !== "https:"
      ? ["is blocked: Only allowed schemes are http, https"]
      : []),
  ];
}

export function insertEnvironment(state: State, project: Project, given: NewEnvironment): Environment {
  const now = state.now();
  const row: Environment = {
    id: state.nextId("environment"),
    projectId: project.id,
    name: given.name,
    slug: slugOf(given.name),
    createdAt: now,
    updatedAt: now,
    externalUrl: given.externalUrl || null,
    description: given.description ?? null,
    tier: given.tier ?? tierOf(given.name),
    state: "available",
    autoStopSetting: given.autoStopSetting ?? "always",
  };
  state.environments.set(row.id, row);
  return row;
}

/** A name fit for a host name: what had to be changed gets a suffix, so that two names never share a slug. */
function slugOf(name: string): string {
  const lower = name.toLowerCase().replaceAll(/[^a-z0-9]+/g, "-");
  const slug = /^[a-z]/.test(lower) ? lower : `env-${lower}`;
  const trimmed = slug.replaceAll(/^-+|-+$/g, "");
  if (trimmed === name && trimmed.length <= 24) return trimmed;
  const digest = createHash("sha256").update(name).digest("hex");
  const suffix = BigInt(`0x${digest}`).toString(36).slice(-6);
  return `${trimmed.slice(0, 17).replace(/-+$/, "")}-${suffix}`;
}

const TIERS: readonly (readonly [RegExp, Tier])[] = [
  [/dev|review|trunk/i, "development"],
  [/test|tst|int|acc?ept|acpt|qa|qc|control|quality/i, "testing"],
  [/sta?g|model|modl|pre|demo|non/i, "staging"],
  [/pro?d|live/i, "production"],
];

function tierOf(name: string): Tier {
  return TIERS.find(([pattern]) => pattern.test(name))?.[1] ?? "other";
}

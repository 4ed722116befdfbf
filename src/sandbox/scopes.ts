import type { Token } from "./people.ts";
import type { Feature, Version } from "./versions.ts";

/** A scope that opens an endpoint beside GitLab's own `api` and `read_api`; a bare name opens it for reading. */
export type RegisteredScope =
  | string
  | {
      readonly name: string;
      readonly since?: Feature;
      /** It opens writes as well. */
      readonly writes?: boolean;
    };

/** What a request asks for. `any` admits every living token. */
export interface Demand {
  /** GET, and HEAD where that counts as reading. */
  readonly reads: boolean;
  readonly scopes: readonly RegisteredScope[] | "any";
}

/** Scopes that came later than the endpoints they open. */
const SCOPE_SINCE: Readonly<Record<string, Feature>> = {
  ai_workflows: "aiWorkflowsScope",
  ai_features: "aiFeaturesScope",
  read_repository: "readRepositoryScopeOnFiles",
  self_rotate: "selfRotateScope",
};

export function reaches(token: Token, demand: Demand, version: Version): boolean {
  if (demand.scopes === "any") return true;
  if (token.scopes.includes("api")) return true;
  if (demand.reads && token.scopes.includes("read_api") && version.has("readApiScope")) return true;
  return registered(demand.scopes, version).some(
    (scope) => (demand.reads || scope.writes) && token.scopes.includes(scope.name),
  );
}

/** All scopes registered for the endpoint, whatever the method: a POST lists `read_api` too, as GitLab's does (§1.3). */
export function scopeField(demand: Demand, version: Version): string {
  const own = demand.scopes === "any" ? [] : registered(demand.scopes, version);
  const general = version.has("readApiScope") ? ["api", "read_api"] : ["api"];
  return [...own.map((scope) => scope.name), ...general].join(" ");
}

function registered(
  scopes: readonly RegisteredScope[],
  version: Version,
): { name: string; writes: boolean }[] {
  return scopes.flatMap((scope) => {
    const { name, since, writes = false } = typeof scope === "string" ? { name: scope } : scope;
    const from = since ?? SCOPE_SINCE[name];
    return from === undefined || version.has(from) ? [{ name, writes }] : [];
  });
}

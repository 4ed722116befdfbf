import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Route } from "../../../src/sandbox/route.ts";
import { headingOf } from "./headings.ts";

export const GITLAB = join(import.meta.dirname, "../../../../shared/gitlab");

/** One assertion of GitLab's own request specs. */
export interface Fact {
  /** Stable as long as the fact is: the listing refers to it. */
  readonly id: string;
  /** `branches`, `commit statuses`, …: the spec it stands in. */
  readonly area: string;
  /** `GET /projects/:id/hooks`; null when the spec's words name none. */
  readonly endpoint: string | null;
  /** Situation and name of the example, without the class. */
  readonly words: string;
  readonly where: string;
  /** null: the spec computes it. */
  readonly status: number | null;
  readonly body: Readonly<Record<string, string>>;
}

interface Stored {
  readonly where: string;
  readonly situation: string;
  readonly it: string;
  readonly status: number | null;
  readonly body?: Readonly<Record<string, string>>;
}

export function readFacts(): readonly Fact[] {
  const stored: { readonly facts: readonly Stored[] } = JSON.parse(
    readFileSync(join(GITLAB, "status-facts.json"), "utf8"),
  );
  return stored.facts.map((fact) => {
    const [, ...rest] = fact.situation.split(" > ");
    const words = [...rest, fact.it].join(" > ");
    const endpoint = headingOf(fact.where, fact.situation);
    return {
      id: createHash("sha256").update(JSON.stringify(fact)).digest("hex").slice(0, 10),
      area: areaOf(fact.where, endpoint),
      endpoint,
      words,
      where: fact.where,
      status: fact.status,
      body: fact.body ?? {},
    };
  });
}

function areaOf(where: string, endpoint: string | null): string {
  if (endpoint !== null && / \/user(\/|$)/.test(endpoint)) return "user";
  const file = /([a-z_]+)(_spec|_shared_examples)\.rb/.exec(where)?.[1] ?? where;
  if (file.startsWith("self_")) return "personal access tokens";
  return file.replaceAll("_", " ");
}

/** `GET /projects/:/hooks/:`: two spellings of one endpoint are equal when the names of their parameters are taken out. */
export function shapeOf(endpoint: string): string {
  return endpoint.replace(/^HEAD /, "GET ").replaceAll(/:\w+/g, ":");
}

export function servedBy(routes: readonly Route[]): (endpoint: string) => boolean {
  const shapes = new Set(routes.map((route) => shapeOf(`${route.method} ${route.path}`)));
  return (endpoint) => shapes.has(shapeOf(endpoint));
}

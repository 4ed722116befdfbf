import { expect } from "vitest";
import { answers, as, check, given, none, path, publicProject, query, scopes, send, some } from "../steps.ts";
import type { Endpoints, Json, Situation, Step } from "../situation.ts";
import { feature } from "./repository.ts";

const TAGS = "/projects/:id/repository/tags";
const nothing = given(() => {});

const tag: Step = async ({ api, project }) => {
  await api("POST", `/projects/${project.id}/repository/tags`, { tag_name: "v1.1.0", ref: "main" });
};

const searched: Step = (s: Situation) => query({ search: s.group.path })(s);
const found = check((rows, { group }) => expect(rows.map((row: Json) => row.id)).toEqual([group.id]));
const exists = (yes: boolean): Step => check((body) => expect(body.exists).toBe(yes));
const ofGroup: Step = (s) => path({ namespace: s.group.path })(s);

/** Areas without a target: what is cheap to say is said. */
export const others: Endpoints = {
  [`GET ${TAGS}`]: {
    base: [tag, feature],
    rules: [
      [/only returns searched/, query({ search: "v1.1" }), some],
      [/paginated first page/, query({ per_page: 1 }), check((rows) => expect(rows).toHaveLength(1))],
      [/_for .*returns the repository tags/, some],
      [/without release information/, publicProject, as(null), some],
      [/returns all repository tags/, query({ pagination: "keyset", per_page: 100 }), some],
      [
        /returns limited/,
        query({ pagination: "keyset", per_page: 1 }),
        check((rows) => expect(rows).toHaveLength(1)),
      ],
    ],
  },
  [`GET ${TAGS}/:tag_name`]: {
    base: [tag, path({ tag_name: "v1.1.0" })],
    rules: [
      [/returns the repository branch/, answers({ name: "v1.1.0" })],
      [/without release information/, publicProject, as(null), answers({ name: "v1.1.0" })],
    ],
  },
  [`POST ${TAGS}`]: {
    base: [send({ tag_name: "v7.0.1", ref: "main" })],
    rules: [
      [/creates a new tag/, answers({ name: "v7.0.1" })],
      [/name is invalid/, send({ tag_name: "v 1.0.0" })],
      [
        /already exists/,
        send({ tag_name: "new_design1" }),
        given(({ api, project }) => again(api, project.id)),
      ],
      [/ref name is invalid/, send({ tag_name: "mytag", ref: "foo" })],
      [/annotated tag/, send({ tag_name: "v7.1.0", message: "Release 7.1.0" })],
    ],
  },
  [`DELETE ${TAGS}/:tag_name`]: {
    base: [tag, path({ tag_name: "v1.1.0" })],
    rules: [[/deletes a tag/, nothing]],
  },
  "GET /metadata": {
    base: [],
    rules: [
      [/unauthenticated/, as(null)],
      [/with api scope/, scopes("api"), answers({ version: "18.9.0" })],
      [/ai_features scope > returns/, scopes("ai_features")],
      [/with read_user scope/, scopes("read_user")],
      [/neither api/, scopes("read_repository")],
    ],
  },
  "GET /namespaces": {
    base: [],
    rules: [
      [/returns empty array/, query({ search: "nothing-like-this" }), none],
      [/unauthenticated/, as(null)],
      [/correct attributes/, as("admin"), check(([row]) => expect(row).toHaveProperty("full_path"))],
      [/array of all namespaces/, as("admin"), some],
      [/array of matched namespaces$/, searched, found],
      [/user: returns an array/, some],
      [/owned groups/, query({ owned_only: true }), some],
      [
        /only top level/,
        query({ top_level_only: true }),
        check((rows) => expect(rows.every((row: Json) => row.parent_id === null)).toBe(true)),
      ],
      [/by full_path/, searched, query({ full_path_search: true }), found],
    ],
  },
  "GET /namespaces/:id": {
    base: [given((s: Situation) => path({ id: s.group.id })(s))],
    rules: [
      [/returns namespace details/, check((body, { group }) => expect(body.id).toBe(group.id))],
      [/namespace > returns not-found$/, path({ id: 99_999_999 })],
      [
        /requesting project_namespace/,
        given(({ path: parts, project }) => void (parts["id"] = project.fullPath)),
      ],
      [/unauthenticated/, as(null)],
      [/requesting group/, as("stranger")],
      [/personal namespace/, as("stranger"), given(({ path: parts }) => void (parts["id"] = "the-owner"))],
    ],
  },
  "GET /namespaces/:namespace/exists": {
    base: [ofGroup],
    rules: [
      [/unauthenticated/, as(null)],
      [/exists and a suggestion$/, exists(true)],
      [/does not exist without/, path({ namespace: "unheard-of" }), answers({ exists: false, suggests: [] })],
      [
        /case-insensitive/,
        given((s: Situation) => path({ namespace: s.group.path.toUpperCase() })(s)),
        exists(true),
      ],
      [/within the parent namespace/, query({ parent_id: 1 }), exists(false)],
      [/dot in namespace/, path({ namespace: "with.dot" }), exists(false)],
    ],
  },
  "GET /projects/:id/import": {
    base: [],
    rules: [
      [/unauthenticated user/, publicProject, as(null)],
      [/returns the import status$/, answers({ import_status: "none" })],
    ],
  },
};

async function again(api: Situation["api"], id: number): Promise<void> {
  await api("POST", `/projects/${id}/repository/tags`, { tag_name: "new_design1", ref: "main" });
}

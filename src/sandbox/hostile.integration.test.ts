import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { sample } from "../../test/support/sample.ts";
import { ROUTES } from "./api/routes.ts";
import type { Route } from "./route.ts";
import { openScene, type Scene } from "./scene.suite.ts";

let scene: Scene;
beforeAll(async () => {
  scene = await openScene();
});
afterAll(() => scene[Symbol.asyncDispose]());

const LONG = "x".repeat(200_000);
const NESTED = `{"name":${"[".repeat(50_000)}${"]".repeat(50_000)}}`;

describe("what once ended in a 500", () => {
  const repository = "/projects/1/repository";
  test.each([
    ["GET", `${repository}/commits?path=`, undefined, 200],
    ["GET", `${repository}/commits?path=..%2F..%2Fetc%2Fpasswd`, undefined, 200],
    ["GET", `${repository}/commits?path=%2F`, undefined, 200],
    ["GET", `${repository}/commits?author=a%00b`, undefined, 400],
    ["GET", `${repository}/branches/a%00b`, undefined, 400],
    ["GET", `${repository}/files/a%00b?ref=main`, undefined, 400],
    ["POST", `${repository}/files/a%00b`, { branch: "main", commit_message: "x", content: "x" }, 400],
    ["POST", `${repository}/tags`, { tag_name: "t", ref: LONG }, 400],
    ["POST", "/projects/1/merge_requests", { title: "t", source_branch: LONG, target_branch: "main" }, 201],
    ["POST", "/projects", NESTED, 400],
  ])("%s %s", async (method, path, body, status) => {
    expect((await scene.call(method, path, body)).status).toBe(status);
  });

  test("a path outside of the repository has no commits, and an empty one is none", async () => {
    expect((await scene.call("GET", `${repository}/commits?path=..%2Fx`)).body).toEqual([]);
    expect((await scene.call("GET", `${repository}/commits?path=`)).body).toHaveLength(1);
  });

  test("a null byte in the address is GitLab's 400 in plain text", async () => {
    const answer = await scene.call("GET", "/projects?search=a%00b");
    expect([answer.status, answer.text]).toEqual([400, "Bad Request"]);
    expect(answer.headers.get("content-type")).toBe("text/plain");
  });

  test("a branch or tag below another one", async () => {
    const barred = "Branch name conflicts with existing branch hierarchy.";
    const commit = { branch: "main/x", start_branch: "main", commit_message: "m", content: "x" };
    const written = await scene.call("POST", `${repository}/files/new.txt`, commit);
    expect([written.status, written.body.message]).toEqual([
      400,
      `Something went wrong when we tried to create 'main/x' for you: ${barred}`,
    ]);
    const branch = await scene.call("POST", `${repository}/branches`, { branch: "main/x", ref: "main" });
    expect([branch.status, branch.body.message]).toEqual([
      400,
      `Failed to create branch 'main/x': ${barred}`,
    ]);
    expect((await scene.call("POST", `${repository}/tags`, { tag_name: "v", ref: "main" })).status).toBe(201);
    expect((await scene.call("POST", `${repository}/tags`, { tag_name: "v/1", ref: "main" })).status).toBe(
      400,
    );
  });

  test("two who make the same branch or tag at once: one of them has made it", async () => {
    const twice = async (path: string, body: unknown): Promise<number[]> =>
      (await Promise.all([1, 2, 3].map(() => scene.call("POST", path, body))))
        .map(({ status }) => status)
        .toSorted((a, b) => a - b);
    expect(await twice(`${repository}/branches`, { branch: "once", ref: "main" })).toEqual([201, 400, 400]);
    expect(await twice(`${repository}/tags`, { tag_name: "once", ref: "main" })).toEqual([201, 400, 400]);
  });
});

const HOSTILE = [
  null,
  "",
  -1,
  1e308,
  "99999999999999999999",
  [],
  [null],
  [{}],
  { a: { b: 1 } },
  "a\0b",
  "\ud800",
  LONG,
  "--output=x",
  "../../etc/passwd",
  "HEAD",
  "main~99999999999",
  "(((((",
  "__proto__",
  "+275760-09-14",
  "0000-00-00",
  "http://\0",
];

/** So that a hostile value meets more than the check of another parameter. */
const GOOD: Readonly<Record<string, unknown>> = {
  branch: "topic",
  start_branch: "main",
  ref: "main",
  from: "main",
  to: "main",
  commit_message: "m",
  content: "x",
  title: "t",
  body: "b",
  name: "fresh",
  path: "fresh",
  url: "http://127.0.0.1:9/",
  state: "success",
  status: "success",
  sha: "main",
  environment: "prod",
  tag: false,
  tag_name: "v2",
  source_branch: "topic",
  target_branch: "main",
  user_id: 1,
  access_level: 30,
  group_access: 30,
  group_id: 1,
  scopes: ["api"],
  expires_at: "2027-01-01",
  trigger: "push_events",
};

interface Attack {
  readonly route: Route;
  readonly parameter: string;
}

const ATTACKS: readonly Attack[] = ROUTES.flatMap((route) => {
  const inPath = [...route.path.matchAll(/:([a-z_]+)/g)].map(([, name = ""]) => name);
  return [...new Set([...inPath, ...route.parameters])].map((parameter) => ({
    route,
    parameter,
    toString: () => `${parameter} of ${route.method} ${route.path}`,
  }));
});

describe("no parameter brings a 500 or keeps the sandbox busy", () => {
  test.each(sample("hostile parameters", ATTACKS, 30))(
    "%s",
    async ({ route, parameter }) => {
      const { state } = scene.sandbox;
      const files = { "a.txt": "a\n" };
      const project = await state.createProject({ path: `acme/p${scene.sandbox.rows.projects.size}`, files });
      for (const value of HOSTILE) {
        const token = state.createToken({ user: state.root }).value; // some routes end the one they are asked with
        const ask = requestOf(route, parameter, value, project.id);
        const started = performance.now();
        const { status } = await scene.call(route.method, ask.path, ask.body, token);
        expect(status, `${JSON.stringify(value).slice(0, 80)} as ${ask.path.slice(0, 120)}`).toBeLessThan(
          500,
        );
        expect(performance.now() - started).toBeLessThan(10_000);
      }
    },
    60_000,
  );
});

function requestOf(
  { method, path, parameters }: Route,
  hostile: string,
  value: unknown,
  projectId: number,
): { readonly path: string; readonly body: unknown } {
  const text = (name: string): string => {
    if (name === hostile)
      return (typeof value === "string" ? value : JSON.stringify(value)).slice(0, 3000).toWellFormed();
    if (name === "id") return String(path.startsWith("/projects") ? projectId : 1);
    const good = GOOD[name] ?? 1;
    return typeof good === "string" ? good : JSON.stringify(good);
  };
  const filled = path.replaceAll(/:([a-z_]+)/g, (_, name: string) => encodeURIComponent(text(name)) || "%20");
  const others = parameters.filter(
    (name) => !path.includes(`:${name}`) && (name === hostile || name in GOOD),
  );
  const given = Object.fromEntries(others.map((name) => [name, name === hostile ? value : GOOD[name]]));
  if (method !== "GET") return { path: filled, body: given };
  const query = new URLSearchParams(others.map((name): [string, string] => [name, text(name)]));
  return { path: `${filled}?${query.toString()}`, body: undefined };
}

import { createServer } from "node:http";
import { request } from "undici";
import { openScene, type Answer, type Scene } from "../../../src/sandbox/scene.suite.ts";
import type { Group, Project, User } from "../../../src/sandbox/state.ts";

/** Who asks: somebody with that level in the place, `admin`, `stranger` without any, or nobody at all. */
export type Actor = "owner" | "maintainer" | "developer" | "reporter" | "guest" | "stranger" | "admin" | null;

const LEVELS = { owner: 50, maintainer: 40, developer: 30, reporter: 20, guest: 10 } as const;

export interface Request {
  actor: Actor;
  token: string | null | undefined;
  path: Record<string, string | number>;
  query: Record<string, string | number | boolean>;
  body: Record<string, unknown> | string | undefined;
  contentType: string;
  head: boolean;
}

/** The place and the request of one fact, while its steps set it up. */
export interface Situation extends Request {
  readonly world: World;
  readonly project: Project;
  readonly group: Group;
  /** What must hold of the answer beside status and message. */
  readonly checks: ((answer: Answer, situation: Situation) => void | Promise<void>)[];
  /** Asks as the administrator. Throws when it is refused: a set-up that fails proves nothing. */
  readonly api: (method: string, path: string, body?: unknown) => Promise<Json>;
}

// oxlint-disable-next-line typescript/no-explicit-any -- tests look into bodies freely
export type Json = any;

/** A step that waits for nothing. */
export type QuickStep = (situation: Situation) => void;
export type Step = (situation: Situation) => void | Promise<void>;
/** When the words of a fact match, the steps are taken. */
export type Rule = readonly [words: RegExp, ...steps: readonly Step[]];

export interface Endpoint {
  /** A request that is allowed. */
  readonly base: readonly Step[];
  readonly rules: readonly Rule[];
}
export type Endpoints = Readonly<Record<string, Endpoint>>;

/** One sandbox for many facts. Every fact gets a project and a group of its own with the same cast of people. */
export interface World extends AsyncDisposable {
  readonly scene: Scene;
  /** Where a webhook is answered with 200. */
  readonly receiver: string;
  userOf(actor: Exclude<Actor, null>): User;
  tokenOf(actor: Exclude<Actor, null>): string;
  /** A name nobody has used. */
  fresh(prefix: string): string;
}

export async function openWorld(): Promise<World> {
  const scene = await openScene({ version: "18.9.0" });
  const { state } = scene.sandbox;
  const people = new Map<string, { user: User; token: string }>();
  for (const name of [...Object.keys(LEVELS), "stranger"]) {
    const user = state.createUser({ username: `the-${name}` });
    people.set(name, { user, token: state.createToken({ user }).value });
  }
  people.set("admin", { user: state.root, token: state.createToken({ user: state.root }).value });
  const receiver = createServer((_request, response) => response.end("ok"));
  await new Promise<void>((resolve) => receiver.listen(0, "127.0.0.1", resolve));
  const address = receiver.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  let count = 0;
  return {
    scene,
    receiver: `http://127.0.0.1:${port}/hook`,
    userOf: (actor) => people.get(actor)!.user,
    tokenOf: (actor) => people.get(actor)!.token,
    fresh: (prefix) => `${prefix}-${++count}`,
    [Symbol.asyncDispose]: async () => {
      await scene[Symbol.asyncDispose]();
      receiver.closeAllConnections();
      await new Promise((resolve) => receiver.close(resolve));
    },
  };
}

/** A private project in a group, both with the cast; files only where the endpoint looks into the repository. */
export async function openSituation(world: World, endpoint: string): Promise<Situation> {
  const { state } = world.scene.sandbox;
  const owner = world.userOf("owner");
  const group = state.createGroup({ path: world.fresh("group"), owner });
  const files = /repository|statuses|deployments|merge_requests|hooks/.test(endpoint)
    ? { "README.md": "# hello\n", "lib/a.txt": "a\n", "files/dots.in.name.txt": "dots\n" }
    : undefined;
  const project = await state.createProject({
    path: world.fresh("project"),
    owner,
    ...(files === undefined ? {} : { files }),
  });
  for (const [name, level] of Object.entries(LEVELS)) {
    const user = world.userOf(name as keyof typeof LEVELS);
    if (name !== "owner") state.addMember(project, user, level);
    state.addMember(group, user, level);
  }
  return {
    world,
    project,
    group,
    actor: "owner",
    token: undefined,
    path: { id: endpoint.includes("/groups/") ? group.id : project.id },
    query: {},
    body: undefined,
    contentType: "application/json",
    head: endpoint.startsWith("HEAD "),
    checks: [],
    api: async (method, path, body) => {
      const answer = await world.scene.call(method, path, body, world.tokenOf("admin"));
      if (answer.status >= 400)
        throw new Error(`set-up: ${method} ${path} → ${answer.status} ${answer.text}`);
      return answer.body;
    },
  };
}

function tokenOf({ world, actor, token }: Situation): string | null {
  if (token !== undefined) return token;
  return actor === null ? null : world.tokenOf(actor);
}

export async function ask(situation: Situation, endpoint: string): Promise<Answer> {
  const { world, path, query, body } = situation;
  const [verb = "", pattern = ""] = endpoint.split(" ");
  const method = situation.head ? "HEAD" : verb;
  const target = pattern.replaceAll(/:(\w+)/g, (_match, name: string) => {
    const value = path[name];
    if (value === undefined) throw new Error(`set-up: no ${name} for ${endpoint}`);
    return encodeURIComponent(value);
  });
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) search.append(name, String(value));
  const token = tokenOf(situation);
  // not fetch: it says `Sec-Fetch-Mode: cors`, and GitLab gives no archives to pages of other sites
  const response = await request(`${world.scene.sandbox.url}/api/v4${target}?${search.toString()}`, {
    method,
    headers: { ...(token === null ? {} : { "PRIVATE-TOKEN": token }), "Content-Type": situation.contentType },
    ...(body === undefined ? {} : { body: typeof body === "string" ? body : JSON.stringify(body) }),
  });
  const text = await response.body.text();
  const headers = new Headers();
  for (const [name, value] of Object.entries(response.headers)) headers.set(name, String(value));
  const isJson = headers.get("content-type")?.startsWith("application/json") === true && text !== "";
  return { status: response.statusCode, headers, text, body: isJson ? JSON.parse(text) : null };
}

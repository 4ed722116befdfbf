import type { Asked, Reply } from "./answering-server.ts";

export const TOKEN = "glpat-0123456789abcdefghij";
export const unauthorized: Reply = { status: 401, body: { message: "401 Unauthorized" } };
export const routeless: Reply = { status: 404, body: { error: "404 Not Found" } };
const missing: Reply = {
  status: 400,
  body: { error: "name, path are missing, at least one parameter must be provided" },
};
export const tooSmall: Reply = {
  status: 403,
  body: {
    error: "insufficient_scope",
    error_description: "The request requires higher privileges than provided by the access token.",
    scope: "ai_workflows api read_api",
  },
};

interface Scene {
  readonly version?: string;
  readonly scopes?: readonly string[];
  readonly expires?: string | null;
  readonly username?: string;
  /** Answers that differ, by `METHOD path` below `/api/v4`. */
  readonly over?: Readonly<Record<string, Reply>>;
  readonly path?: string;
}

/** A GitLab as far as the doctor asks: it knows one token, `TOKEN`. */
export function gitlab(scene: Scene = {}): (asked: Asked) => Reply {
  const {
    version = "18.9.0-ee",
    scopes = ["api"],
    expires = "2027-11-01",
    username = "amy",
    path = "",
  } = scene;
  return ({ method, url, headers }) => {
    const prefix = `${path}/api/v4`;
    if (!url.startsWith(prefix))
      return { status: 404, body: "<title>The page you're looking for could not be found</title>" };
    if (headers.authorization !== `Bearer ${TOKEN}`) return unauthorized;
    const key = `${method} ${url.slice(prefix.length)}`;
    const bot = username !== "amy";
    const known: Record<string, Reply> = {
      "GET /version": { body: { version, revision: "abc" } },
      "GET /personal_access_tokens/self": {
        body: { id: 1, name: "deploy", scopes, user_id: 7, expires_at: expires },
      },
      "GET /user": { body: { id: 7, username, bot, web_url: `https://web.acme.lan/gl/${username}` } },
      "POST /projects": scopes.includes("api") ? missing : tooSmall,
    };
    return scene.over?.[key] ?? known[key] ?? routeless;
  };
}

import type { IncomingMessage, ServerResponse } from "node:http";
import { pipeline } from "node:stream/promises";
import { launch } from "../../kernel/run.ts";
import type { Box } from "../box.ts";
import { Refusal, type Reply } from "../reply.ts";
import type { Project } from "../state.ts";
import { admit } from "./access.ts";
import { readCgi } from "./cgi.ts";
import { refuseLfs } from "./lfs.ts";
import { plain, type Service } from "./permission.ts";
import { takePush } from "./push.ts";
import { throttle } from "./throttle.ts";

export interface GitRequest {
  readonly fullPath: string;
  /** Without `.git` GitLab redirects to the address that has it. */
  readonly suffix: boolean;
  /** What follows `<project>.git`. */
  readonly rest: "/info/refs" | "/git-upload-pack" | "/git-receive-pack" | "/info/lfs";
  /** `unknown`: the dumb protocol, or a service that is none of git's. */
  readonly service: Service | "unknown";
}

const FORM =
  /^\/(.+?)(\.git)?(?:(\/info\/refs|\/git-upload-pack|\/git-receive-pack)|(\/info\/lfs)(?:\/.*)?)$/;

/** Recognises the requests of git and git-lfs; null for everything else. */
export function parseGitRequest(path: string, query: URLSearchParams): GitRequest | null {
  const [, fullPath = "", git, rest, lfs] = FORM.exec(path) ?? [];
  if (fullPath === "" || fullPath.includes("%")) return null;
  const suffix = git !== undefined;
  if (lfs !== undefined) return { fullPath, suffix, rest: "/info/lfs", service: "unknown" };
  if (rest === "/info/refs") return { fullPath, suffix, rest, service: serviceOf(query.get("service")) };
  if (rest === "/git-upload-pack") return { fullPath, suffix, rest, service: "git-upload-pack" };
  if (rest === "/git-receive-pack") return { fullPath, suffix, rest, service: "git-receive-pack" };
  return null;
}

function serviceOf(name: string | null): Service | "unknown" {
  return name === "git-upload-pack" || name === "git-receive-pack" ? name : "unknown";
}

/** Serves one request of git: a reply, or null when the answer is on its way already. Throws refusals before the first byte is sent. */
export async function serveGit(
  box: Box,
  git: GitRequest,
  request: IncomingMessage,
  response: ServerResponse,
  signal: AbortSignal,
): Promise<Reply | null> {
  if (!git.suffix) return withoutSuffix(box, git, request);
  if (git.rest === "/info/lfs") return refuseLfs(box, git.fullPath, request.headers.authorization);
  if (request.method === "HEAD") throw new Refusal({ status: 403 });
  if (request.method !== (git.rest === "/info/refs" ? "GET" : "POST")) throw new Refusal({ status: 404 });
  const permission = await admit(box, git.fullPath, git.service, request.headers.authorization);
  const { project, user } = permission;
  if (box.state.faults.git.gitalyDown) throw plain(503, GITALY_DOWN);
  await box.repositories.ensure(project);
  const send = (environment: Readonly<Record<string, string>>): Promise<void> =>
    backend(box, { ...cgiEnvironment(git, project, request), ...environment }, request, response, signal);
  if (git.rest === "/git-receive-pack" && user) {
    await takePush(box, permission, user, "http", (environment) =>
      send({ REMOTE_USER: user.username, ...environment }),
    );
  } else await send(user ? { REMOTE_USER: user.username } : {});
  return null;
}

export const GITALY_DOWN =
  "The git server, Gitaly, is not available at this time. Please contact your administrator.";

/** `git clone <base>/group/project` works too: git follows, and warns. */
function withoutSuffix(box: Box, git: GitRequest, request: IncomingMessage): Reply {
  if (git.rest !== "/info/refs" || git.service === "unknown" || request.method !== "GET") {
    throw new Refusal({ status: 404 });
  }
  const location = `${box.url}/${git.fullPath}.git/info/refs?service=${git.service}`;
  return { status: 301, headers: { Location: location } };
}

async function backend(
  box: Box,
  environment: Readonly<Record<string, string>>,
  request: IncomingMessage,
  response: ServerResponse,
  signal: AbortSignal,
): Promise<void> {
  const gone = new AbortController();
  response.once("close", () => gone.abort());
  // The client may have left while this waited for its turn: then nothing would ever end git's input.
  if (response.destroyed) return;
  const child = launch("git", ["http-backend"], {
    cwd: box.repositories.root,
    env: { ...box.repositories.environment, GIT_PROJECT_ROOT: box.repositories.root, ...environment },
    keepStdin: true,
    signal: AbortSignal.any([signal, gone.signal]),
  });
  if (!child.stdin || !child.stdout) throw new Error("git http-backend has no pipes");
  child.stderr?.resume(); // what git says to people travels inside the protocol
  child.stdin.on("error", () => {}); // git may answer without reading everything
  request.pipe(child.stdin);
  const { status, headers, body } = await readCgi(child.stdout);
  response.writeHead(status, headers);
  await pipeline(
    body,
    throttle(() => box.state.faults.git.bytesPerSecond),
    response,
    { end: false },
  ).catch(() => gone.abort());
  await child.ended;
}

function cgiEnvironment(git: GitRequest, project: Project, request: IncomingMessage): Record<string, string> {
  const header = (name: string): string => String(request.headers[name] ?? "");
  return {
    GIT_HTTP_EXPORT_ALL: "1",
    PATH_INFO: `/${project.id}.git${git.rest}`,
    QUERY_STRING: git.rest === "/info/refs" ? `service=${git.service}` : "",
    REQUEST_METHOD: request.method ?? "GET",
    CONTENT_TYPE: header("content-type"),
    ...(request.headers["content-length"] ? { CONTENT_LENGTH: header("content-length") } : {}),
    ...(header("content-encoding") ? { HTTP_CONTENT_ENCODING: header("content-encoding") } : {}),
    ...protocolPart(header("git-protocol")),
    REMOTE_ADDR: "127.0.0.1",
  };
}

/** Which of git's protocols the client would like to speak, if that is a word one may pass on. */
export function protocolPart(wish: string): Record<string, string> {
  return /^[a-z0-9=:.,_-]{1,100}$/i.test(wish) ? { GIT_PROTOCOL: wish } : {};
}

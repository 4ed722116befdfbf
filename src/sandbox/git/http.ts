import { existsSync } from "node:fs";
import { readFile, rm } from "node:fs/promises";
import type { IncomingMessage, ServerResponse } from "node:http";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { launch } from "../../kernel/run.ts";
import type { Identity } from "../auth.ts";
import type { Box } from "../box.ts";
import { Refusal } from "../reply.ts";
import type { Project } from "../state.ts";
import { admit, type Service } from "./access.ts";
import { readCgi } from "./cgi.ts";
import { moveRefs } from "./move-refs.ts";
import { refRules } from "./ref-rules.ts";
import { throttle } from "./throttle.ts";

export interface GitRequest {
  readonly fullPath: string;
  /** What follows `<project>.git`. */
  readonly rest: "/info/refs" | "/git-upload-pack" | "/git-receive-pack";
  readonly service: Service;
}

/** Recognises the requests of git's smart protocol; null for everything else. */
export function parseGitRequest(path: string, query: URLSearchParams): GitRequest | null {
  const match = /^\/(.+?)(?:\.git)?(\/info\/refs|\/git-upload-pack|\/git-receive-pack)$/.exec(path);
  const fullPath = match?.[1];
  const rest = match?.[2];
  if (fullPath === undefined || fullPath.includes("%")) return null;
  if (rest === "/info/refs") {
    const service = query.get("service");
    if (service !== "git-upload-pack" && service !== "git-receive-pack") return null;
    return { fullPath, rest, service };
  }
  if (rest === "/git-upload-pack") return { fullPath, rest, service: "git-upload-pack" };
  if (rest === "/git-receive-pack") return { fullPath, rest, service: "git-receive-pack" };
  return null;
}

/** Serves one request of git. Throws refusals before the first byte is sent. */
export async function serveGit(
  box: Box,
  git: GitRequest,
  request: IncomingMessage,
  response: ServerResponse,
  signal: AbortSignal,
): Promise<void> {
  const writes = git.rest !== "/info/refs";
  if (request.method === "HEAD") throw new Refusal({ status: 403 });
  if (request.method !== (writes ? "POST" : "GET")) throw new Refusal({ status: 404 });
  const { project, identity } = await admit(box, git.fullPath, git.service, request.headers.authorization);
  await box.repositories.ensure(project);
  if (git.rest !== "/git-receive-pack" || !identity) {
    await backend(box, git, project, identity, request, response, signal);
    return;
  }
  await moveRefs(box, project, identity.user, async () => {
    const file = optionsFile(box, project);
    await rm(file, { force: true });
    await backend(box, git, project, identity, request, response, signal);
    return readOptions(file);
  });
}

/** Where the pre-receive hook writes down the options of the push that is under way. */
function optionsFile(box: Box, project: Project): string {
  return join(box.repositories.root, `${project.id}.push-options`);
}

async function readOptions(file: string): Promise<string[]> {
  if (!existsSync(file)) return [];
  const text = await readFile(file, "utf8");
  await rm(file, { force: true });
  return text.split("\n").filter((line) => line !== "");
}

async function backend(
  box: Box,
  git: GitRequest,
  project: Project,
  identity: Identity | null,
  request: IncomingMessage,
  response: ServerResponse,
  signal: AbortSignal,
): Promise<void> {
  const gone = new AbortController();
  response.once("close", () => gone.abort());
  const child = launch("git", ["http-backend"], {
    cwd: box.repositories.root,
    env: environmentOf(box, git, project, identity, request),
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

function environmentOf(
  box: Box,
  git: GitRequest,
  project: Project,
  identity: Identity | null,
  request: IncomingMessage,
): Record<string, string> {
  const header = (name: string): string => String(request.headers[name] ?? "");
  return {
    ...box.repositories.environment,
    GIT_PROJECT_ROOT: box.repositories.root,
    GIT_HTTP_EXPORT_ALL: "1",
    PATH_INFO: `/${project.id}.git${git.rest}`,
    QUERY_STRING: git.rest === "/info/refs" ? `service=${git.service}` : "",
    REQUEST_METHOD: request.method ?? "GET",
    CONTENT_TYPE: header("content-type"),
    ...(request.headers["content-length"] ? { CONTENT_LENGTH: header("content-length") } : {}),
    ...(header("content-encoding") ? { HTTP_CONTENT_ENCODING: header("content-encoding") } : {}),
    ...(/^[a-z0-9=:.,_-]{1,100}$/i.test(header("git-protocol"))
      ? { GIT_PROTOCOL: header("git-protocol") }
      : {}),
    REMOTE_ADDR: "127.0.0.1",
    ...(identity ? pusherPart(box, project, identity) : {}),
  };
}

function pusherPart(box: Box, project: Project, identity: Identity): Record<string, string> {
  return {
    REMOTE_USER: identity.user.username,
    SANDBOX_PUSH_OPTIONS: optionsFile(box, project),
    ...refRules(box.state, identity.user, project),
  };
}

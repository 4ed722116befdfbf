import { spawn } from "node:child_process";
import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from "node:http";
import { createServer as createSecureServer } from "node:https";
import type { AddressInfo } from "node:net";
import { Transform } from "node:stream";

/** One request as the server saw it. */
export interface SeenRequest {
  readonly method: string;
  readonly url: string;
  readonly authorization: string | undefined;
}

export interface GitServerOptions {
  /** The folder with the bare repositories: `<root>/<path>.git`. */
  readonly root: string;
  /** Asked for as Basic password; null serves everybody. */
  readonly token: string | null;
  readonly tls?: {
    readonly key: string;
    readonly cert: string;
    readonly ca?: string;
    readonly requestCert?: boolean;
    readonly rejectUnauthorized?: boolean;
  };
}

export interface GitServer {
  readonly origin: string;
  readonly seen: SeenRequest[];
  /** Bytes/s of each answer's body; null is as fast as it goes. */
  bytesPerSecond: number | null;
  /** Answers in the place of git where it returns something. */
  answer: (
    request: IncomingMessage,
  ) => { status: number; body?: string; headers?: Record<string, string> } | null;
  /** Bytes of body sent since the start. */
  sent(): number;
  /** Breaks off every answer after so many bytes of body. */
  breakAfter: number | null;
  [Symbol.asyncDispose](): Promise<void>;
}

/** A real `git http-backend` behind node:http, with the ways to be slow, wrong or gone that real servers have. */
export async function startGitServer(options: GitServerOptions): Promise<GitServer> {
  let sent = 0;
  const handle: RequestListener = (request, response) => {
    server.seen.push({
      method: request.method ?? "",
      url: request.url ?? "",
      authorization: request.headers.authorization,
    });
    const instead = server.answer(request);
    if (instead) {
      response.writeHead(instead.status, { "content-type": "text/plain", ...instead.headers });
      response.end(instead.body ?? "");
    } else if (options.token !== null && passwordOf(request) !== options.token) {
      response.writeHead(401, { "content-type": "text/plain", "www-authenticate": 'Basic realm="GitLab"' });
      response.end("HTTP Basic: Access denied\n");
    } else {
      serve(options.root, request, response, server, (bytes) => (sent += bytes));
    }
  };
  const listener = options.tls ? createSecureServer(options.tls, handle) : createServer(handle);
  await new Promise<void>((resolve) => listener.listen(0, "127.0.0.1", resolve));
  const { port } = listener.address() as AddressInfo;
  const server: GitServer = {
    origin: `${options.tls ? "https" : "http"}://127.0.0.1:${port}`,
    seen: [],
    bytesPerSecond: null,
    breakAfter: null,
    answer: () => null,
    sent: () => sent,
    async [Symbol.asyncDispose]() {
      listener.closeAllConnections();
      await new Promise((resolve) => listener.close(resolve));
    },
  };
  return server;
}

function passwordOf(request: IncomingMessage): string | null {
  const basic = /^Basic (.+)$/.exec(request.headers.authorization ?? "")?.[1];
  return basic === undefined
    ? null
    : Buffer.from(basic, "base64")
        .toString()
        .replace(/^[^:]*:/, "");
}

function serve(
  root: string,
  request: IncomingMessage,
  response: ServerResponse,
  server: GitServer,
  count: (bytes: number) => void,
): void {
  const url = new URL(request.url ?? "/", "http://x");
  const backend = spawn("git", ["http-backend"], {
    env: {
      PATH: process.env["PATH"] ?? "",
      GIT_PROJECT_ROOT: root,
      GIT_HTTP_EXPORT_ALL: "1",
      GIT_CONFIG_NOSYSTEM: "1",
      GIT_CONFIG_GLOBAL: "/dev/null",
      // the fixtures may belong to another user
      GIT_CONFIG_COUNT: "2",
      GIT_CONFIG_KEY_0: "safe.directory",
      GIT_CONFIG_VALUE_0: "*",
      GIT_CONFIG_KEY_1: "uploadpack.allowAnySHA1InWant",
      GIT_CONFIG_VALUE_1: "true",
      PATH_INFO: decodeURIComponent(url.pathname),
      QUERY_STRING: url.search.slice(1),
      REQUEST_METHOD: request.method ?? "GET",
      CONTENT_TYPE: request.headers["content-type"] ?? "",
      HTTP_CONTENT_ENCODING: request.headers["content-encoding"] ?? "",
      GIT_PROTOCOL: String(request.headers["git-protocol"] ?? ""),
      REMOTE_USER: "somebody",
      REMOTE_ADDR: "127.0.0.1",
    },
    stdio: ["pipe", "pipe", "ignore"],
  });
  backend.stdin.on("error", () => {});
  request.pipe(backend.stdin);
  response.on("close", () => backend.kill("SIGKILL"));
  let head = Buffer.alloc(0);
  let inBody = false;
  const body = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      let rest = chunk;
      if (!inBody) {
        head = Buffer.concat([head, chunk]);
        const end = head.indexOf("\r\n\r\n");
        if (end < 0) return done();
        inBody = true;
        writeHead(response, head.subarray(0, end).toString());
        rest = head.subarray(end + 4);
      }
      count(rest.length);
      this.push(rest);
      if (server.breakAfter !== null && server.sent() > server.breakAfter) return response.destroy();
      const pause = server.bytesPerSecond === null ? 0 : (rest.length / server.bytesPerSecond) * 1000;
      if (pause > 0) setTimeout(done, pause);
      else done();
    },
  });
  backend.stdout.pipe(body).pipe(response);
}

function writeHead(response: ServerResponse, head: string): void {
  let status = 200;
  for (const line of head.split("\r\n")) {
    const [name = "", ...value] = line.split(": ");
    if (name.toLowerCase() === "status") status = Number.parseInt(value.join(": "), 10);
    else response.setHeader(name, value.join(": "));
  }
  response.writeHead(status);
}

import { createServer, request as requestHttp, type IncomingMessage } from "node:http";
import { createServer as createTlsServer } from "node:https";
import { connect } from "node:net";
import { tlsFixture } from "./answering-server.ts";

export interface ProxyServer extends AsyncDisposable {
  readonly url: string;
  readonly host: string;
  /** `CONNECT host:port` or `GET http://…`, in the order of arrival, with the headers that the proxy could read. */
  readonly asked: { readonly line: string; readonly headers: IncomingMessage["headers"] }[];
}

export interface ProxyOptions {
  /** Answers 407 without it. */
  readonly credentials?: string;
  /** Answers this to everything. */
  readonly status?: number;
  /** Where every tunnel really goes: names that only the proxy knows. */
  readonly target?: number;
  readonly certificate?: string;
}

/** A real forward proxy on a free port of 127.0.0.1: tunnels, and plain http. */
export async function startProxy(options: ProxyOptions = {}): Promise<ProxyServer> {
  const asked: ProxyServer["asked"] = [];
  const refusal = (request: IncomingMessage): number | null => {
    asked.push({ line: `${request.method} ${request.url}`, headers: request.headers });
    if (options.status !== undefined) return options.status;
    if (options.credentials === undefined) return null;
    const wanted = `Basic ${Buffer.from(options.credentials).toString("base64")}`;
    return request.headers["proxy-authorization"] === wanted ? null : 407;
  };
  const server =
    options.certificate === undefined
      ? createServer()
      : createTlsServer({ key: tlsFixture("server-key.pem"), cert: tlsFixture(options.certificate) });
  server.on("connect", (request: IncomingMessage, socket, head: Buffer) => {
    const status = refusal(request);
    if (status !== null) return void socket.end(`HTTP/1.1 ${status} No\r\nContent-Length: 0\r\n\r\n`);
    const [host = "", port = ""] = (request.url ?? "").split(/:(?=\d+$)/);
    const onward =
      options.target === undefined ? connect(Number(port), host) : connect(options.target, "127.0.0.1");
    onward.on("connect", () => {
      socket.write("HTTP/1.1 200 Connection established\r\n\r\n");
      onward.write(head);
      onward.pipe(socket).pipe(onward);
    });
    onward.on("error", () => socket.end("HTTP/1.1 502 Bad Gateway\r\n\r\n"));
    socket.on("error", () => onward.destroy());
    socket.on("close", () => onward.destroy());
  });
  server.on("request", (request: IncomingMessage, response) => {
    const status = refusal(request);
    if (status !== null) return void response.writeHead(status).end("<title>proxy</title>");
    const onward = requestHttp(
      request.url ?? "",
      { method: request.method, headers: request.headers },
      (answer) => {
        response.writeHead(answer.statusCode ?? 500, answer.headers);
        answer.pipe(response);
      },
    );
    onward.on("error", () => response.writeHead(502).end());
    request.pipe(onward);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  return {
    url: `${options.certificate === undefined ? "http" : "https"}://127.0.0.1:${port}`,
    host: `127.0.0.1:${port}`,
    asked,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

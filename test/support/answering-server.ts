import { readFileSync } from "node:fs";
import { createServer, type IncomingMessage, type RequestListener, type Server } from "node:http";
import { createServer as createTlsServer } from "node:https";

export interface Asked {
  readonly method: string;
  /** Path and query as they came. */
  readonly url: string;
  readonly headers: IncomingMessage["headers"];
  readonly body: string;
}

export interface Reply {
  readonly status?: number;
  readonly headers?: Record<string, string>;
  /** An object is sent as JSON, text as it is. */
  readonly body?: unknown;
  readonly delayMs?: number;
  /** The connection is cut without an answer. */
  readonly cut?: boolean;
}

export interface AnsweringServer extends AsyncDisposable {
  readonly url: string;
  readonly port: number;
  /** Every request, in the order of arrival. */
  readonly asked: Asked[];
}

const fixtures = new URL("../fixtures/tls/", import.meta.url);
export const tlsFixture = (name: string): string => readFileSync(new URL(name, fixtures), "utf8");

/** A real HTTP server on a free port of 127.0.0.1 that answers as the test says, with TLS when a certificate of `fixtures/tls` is named. */
export async function startAnswering(
  answer: (asked: Asked) => Reply | Promise<Reply>,
  certificate?: string,
): Promise<AnsweringServer> {
  const asked: Asked[] = [];
  const listener: RequestListener = (request, response) => {
    void (async () => {
      const chunks: Buffer[] = [];
      for await (const chunk of request) chunks.push(chunk as Buffer);
      const one: Asked = {
        method: request.method ?? "",
        url: request.url ?? "",
        headers: request.headers,
        body: Buffer.concat(chunks).toString(),
      };
      asked.push(one);
      const reply = await answer(one);
      if (reply.delayMs) await new Promise((resolve) => setTimeout(resolve, reply.delayMs));
      if (reply.cut) return void request.socket.destroy();
      const isText = typeof reply.body === "string" || reply.body instanceof Buffer;
      const type = isText ? "text/html; charset=utf-8" : "application/json";
      response.writeHead(reply.status ?? 200, {
        ...(reply.status === 204 ? {} : { "content-type": type }),
        ...reply.headers,
      });
      response.end(reply.body === undefined ? "" : isText ? reply.body : JSON.stringify(reply.body));
    })();
  };
  const server: Server =
    certificate === undefined
      ? createServer(listener)
      : createTlsServer({ key: tlsFixture("server-key.pem"), cert: tlsFixture(certificate) }, listener);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  return {
    url: `${certificate === undefined ? "http" : "https"}://127.0.0.1:${port}`,
    port,
    asked,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

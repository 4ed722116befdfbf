import { createServer as createPlainServer, type Server } from "node:http";
import { createServer as createTlsServer } from "node:https";
import { join } from "node:path";
import type { Knobs } from "../control/knobs.ts";
import { listen } from "../listen.ts";
import {
  createCertificates,
  writeCertificates,
  type CertificateFiles,
  type CertificateKind,
  type Certificates,
} from "./certificates.ts";

const OPTIONS = { requestTimeout: 0 }; // a push may take as long as it takes

export interface WebServerOptions {
  readonly host: string;
  readonly port?: number;
  readonly tls?: boolean;
  /** Relative URL root, "" for none. */
  readonly root: string;
  /** Where files of the certificates are put. */
  readonly folder: string;
  readonly faults: Knobs["faults"];
}

export interface SandboxCertificates {
  /** PEM. */
  readonly ca: string;
  /** The same and the client's, in the folder of the sandbox. */
  readonly files: CertificateFiles;
}

export interface WebServer {
  readonly server: Server;
  /** With the relative root, without a slash at the end. */
  readonly url: string;
  /** null without TLS. */
  readonly certificates: SandboxCertificates | null;
}

/** Starts to listen; nothing answers yet. The stack ends it. */
export async function startWebServer(
  options: WebServerOptions,
  stack: AsyncDisposableStack,
): Promise<WebServer> {
  const { host, port = 0, tls = false, root } = options;
  const made = tls ? createCertificates(host, Date.now()) : null;
  const files = made && (await writeCertificates(join(options.folder, "tls"), made));
  const server = createWebServer(made, options.faults);
  await listen(server, port, host);
  stack.defer(() => closeServer(server));
  const url = `${tls ? "https" : "http"}://${addressOf(server, host)}${root}`;
  return { server, url, certificates: made && files && { ca: made.ca, files } };
}

/** The server before it listens. With certificates it speaks TLS, and new connections see the one that the knob chooses. */
function createWebServer(certificates: Certificates | null, faults: Knobs["faults"]): Server {
  if (certificates === null) return createPlainServer(OPTIONS);
  const context = (kind: CertificateKind) => {
    const { certificate, key } = certificates.server[kind];
    return { cert: certificate, key: key.reveal(), ca: certificates.clientCa };
  };
  let shown: CertificateKind = faults.certificate;
  // A client's certificate is asked for, and whether one must come is decided in HTTP, as nginx does it.
  const server = createTlsServer({
    ...OPTIONS,
    ...context(shown),
    requestCert: true,
    rejectUnauthorized: false,
  });
  server.prependListener("connection", () => {
    if (shown === faults.certificate) return;
    shown = faults.certificate;
    server.setSecureContext(context(shown));
  });
  server.on("tlsClientError", (_error, socket) => socket.destroy()); // the client does not trust us: that is the point
  return server;
}

/** What clients on this machine can call it by: the wildcard addresses are no addresses. */
function addressOf(server: Server, host: string): string {
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  const name = host === "0.0.0.0" || host === "::" ? "127.0.0.1" : host;
  return name.includes(":") ? `[${name}]:${port}` : `${name}:${port}`;
}

function closeServer(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}

import { once } from "node:events";
import { isIP } from "node:net";
import { connect, type PeerCertificate } from "node:tls";
import { guardedLookup } from "../gitlab/addresses.ts";
import { findRoute, type Network } from "../gitlab/network.ts";
import { openTunnel } from "../gitlab/proxy-connector.ts";
import { toWords } from "../gitlab/redact.ts";
import { trustedContext } from "../gitlab/trust.ts";
import type { InstanceUrl } from "../gitlab/url.ts";

export interface Certificate {
  readonly subject: string;
  readonly issuer: string;
  /** Milliseconds since the epoch. */
  readonly validTo: number;
  /** Why it is not trusted, as the code of Node or OpenSSL; null when it is. */
  readonly problem: string | null;
}

const CONNECT_MS = 10_000;

/**
 * Looks at the certificate of a server, trusted or not: to say whose authority is missing, it must be read first. Nothing is sent but the
 * handshake; requests go over connections of their own, which do refuse.
 */
export async function readCertificate(
  { baseUrl, host, port }: InstanceUrl,
  network: Network,
  signal: AbortSignal,
): Promise<Certificate> {
  const target = new URL(baseUrl);
  const { proxy } = findRoute(target, network);
  const common = { lookup: guardedLookup, autoSelectFamily: true, timeout: CONNECT_MS };
  const way =
    proxy === null
      ? { host, port, lookup: guardedLookup, autoSelectFamily: true }
      : { socket: await openTunnel({ proxy: new URL(proxy.reveal()), target, network, common }) };
  const socket = connect({
    ...way,
    secureContext: trustedContext(network),
    rejectUnauthorized: false,
    ...(isIP(host) === 0 ? { servername: host } : {}),
  });
  try {
    await once(socket, "secureConnect", { signal });
    const peer: Partial<PeerCertificate> = socket.getPeerCertificate();
    const validTo = Date.parse(peer.valid_to ?? "");
    return {
      subject: nameOf(peer.subject),
      issuer: nameOf(peer.issuer),
      validTo: Number.isNaN(validTo) ? 0 : validTo,
      problem: socket.authorized ? null : codeOf(socket.authorizationError),
    };
  } finally {
    socket.destroy();
  }
}

function nameOf(name: PeerCertificate["subject"] | undefined): string {
  const text = [name?.CN, name?.O].flat().find((part) => part !== undefined && part !== "");
  return toWords(text ?? "an authority without a name", (words) => words, 200);
}

/** Node's types say Error, Node gives its code. */
function codeOf(error: unknown): string {
  if (error instanceof Error) return "code" in error ? String(error.code) : error.message;
  return String(error);
}

import { createPrivateKey, X509Certificate } from "node:crypto";
import { createSecureContext } from "node:tls";
import { Fault } from "../faults/fault.ts";
import { Secret } from "../kernel/secret.ts";
import { isForbiddenAddress } from "./addresses.ts";
import type { ClientCertificate, Network } from "./network.ts";

/** What a person gives for a connection, as text. */
export interface NetworkInput {
  readonly ca?: string | undefined;
  readonly proxy?: string | undefined;
  readonly clientCert?: string | undefined;
  readonly clientKey?: string | undefined;
  readonly headers?: Readonly<Record<string, string>> | undefined;
}

/** Throws `BAD_REQUEST` (invalid) in words that repeat nothing of what was given: it may be a secret. */
export function parseNetwork(input: NetworkInput): Network {
  const { ca, proxy, headers } = input;
  if (ca !== undefined) parseCertificates(ca, "certificate authority");
  return {
    ca,
    proxy: proxy === undefined ? undefined : parseProxy(proxy),
    clientCertificate: parseClientCertificate(input),
    headers: headers === undefined ? undefined : parseHeaders(headers),
  };
}

/** `proxy.acme.lan:3128` means http, as for other programs. */
export function parseProxy(text: string): Secret {
  const trimmed = text.trim();
  if (trimmed === "none") return new Secret(trimmed);
  const withScheme = /^[a-z][a-z0-9+.-]*:\/\//i.test(trimmed) ? trimmed : `http://${trimmed}`;
  if (/[\s\p{Cc}\\]/u.test(trimmed) || !URL.canParse(withScheme)) {
    throw refused("The proxy is not an address like http://proxy.acme.lan:3128");
  }
  const url = new URL(withScheme);
  if (url.protocol !== "http:" && url.protocol !== "https:") {
    throw refused("The proxy must be an http:// or https:// address: SOCKS is not spoken");
  }
  if (isForbiddenAddress(url.hostname.replace(/^\[|\]$/g, ""))) {
    throw refused("The proxy is in a link-local network or a cloud metadata service");
  }
  if (url.port === "0" || ![url.username, url.password].every(isDecodable)) {
    throw refused(
      "The proxy's port is 0, or its credentials cannot be read: a % in a password is written %25",
    );
  }
  const credentials = url.username === "" ? "" : `${url.username}:${url.password}@`;
  return new Secret(`${url.protocol}//${credentials}${url.host}`);
}

function isDecodable(text: string): boolean {
  try {
    return !/\p{Cc}/u.test(decodeURIComponent(text));
  } catch {
    return false; // a lone % in a password: it must be written %25
  }
}

/** The PEM certificates of a text. Node leaves out silently what it cannot read, and then nobody knows why a server is not trusted. */
export function parseCertificates(pem: string, what: string): readonly string[] {
  const blocks = pem.match(/-----BEGIN (?:[A-Z0-9]+ )?CERTIFICATE-----[^-]*-----END [^-]*-----/g) ?? [];
  if (blocks.length > 0 && blocks.every(isCertificate)) return blocks;
  throw refused(`The ${what} that was given is not a PEM certificate, or is damaged`, blocks.length);
}

function isCertificate(block: string): boolean {
  try {
    return new X509Certificate(block).raw.length > 0;
  } catch {
    return false; // the parser's words are about its own insides
  }
}

function parseClientCertificate({ clientCert, clientKey }: NetworkInput): ClientCertificate | undefined {
  if (clientCert === undefined && clientKey === undefined) return undefined;
  if (clientCert === undefined || clientKey === undefined) {
    throw refused("A client certificate and its key are given together");
  }
  parseCertificates(clientCert, "client certificate");
  if (/ENCRYPTED/.test(clientKey)) {
    throw refused("The client key is encrypted: nobody could type its passphrase here. Give it without one");
  }
  try {
    createPrivateKey(clientKey);
  } catch {
    throw refused("The client key is not a PEM private key, or is damaged");
  }
  try {
    createSecureContext({ cert: clientCert, key: clientKey });
  } catch {
    throw refused("The client key does not belong to the client certificate");
  }
  return { certificate: clientCert, key: new Secret(clientKey) };
}

/** Fairlead's own, what belongs to the connection rather than to the request, and what would make the request somebody else's. */
const REFUSED =
  /^(host|authorization|private-token|job-token|deploy-token|sudo|accept|accept-encoding|user-agent|content-.*|transfer-encoding|connection|keep-alive|upgrade|te|trailer|expect|proxy-.*|x-gitlab-.*)$/;
const MAX_HEADERS = 20;

/** Throws `BAD_REQUEST` (invalid); the name may be repeated, the value never. */
function parseHeaders(given: Readonly<Record<string, string>>): Readonly<Record<string, Secret>> {
  const entries = Object.entries(given).map(([name, value]): [string, Secret] => {
    const lower = name.trim().toLowerCase();
    if (!/^[!#$%&'*+.^_`|~0-9a-z-]{1,100}$/.test(lower)) throw refused("A header's name is not one");
    if (REFUSED.test(lower)) throw refused(`The header ${lower} cannot be given: Fairlead sets it itself`);
    const text = value.trim();
    if (text === "" || text.length > 4096 || !/^[\u0020-\u007e]+$/.test(text)) {
      throw refused(`The value of the header ${lower} is empty, too long, or holds what no header can carry`);
    }
    return [lower, new Secret(text)];
  });
  if (entries.length > MAX_HEADERS) throw refused(`More than ${MAX_HEADERS} headers`);
  return Object.fromEntries(entries);
}

function refused(message: string, certificates?: number): Fault {
  return Fault.of("BAD_REQUEST", "invalid", {
    message,
    evidence: certificates === undefined ? {} : { certificates },
  });
}

import { X509Certificate } from "node:crypto";
import { createSecureContext, getCACertificates, type SecureContext } from "node:tls";
import { Agent } from "undici";
import { Fault } from "../faults/fault.ts";
import { guardedLookup } from "./addresses.ts";

const CONNECT_TIMEOUT_MS = 10_000;
/** Below the 5 s after which Node closes an idle connection: a POST on a connection that is just being closed cannot be repeated. */
const KEEP_ALIVE_MS = 4_000;

/**
 * Trusts what Node brings, what the machine trusts (git does too: API and clone shall agree) and the pasted PEM certificates. Reading
 * the machine's store takes 85 ms once per process, so it is done for https only. Throws `BAD_REQUEST` for a PEM text that is damaged.
 */
export function trustedContext(ca: string | undefined): SecureContext {
  const known = [...getCACertificates("default"), ...getCACertificates("system")];
  return createSecureContext({ ca: [...new Set(known), ...(ca === undefined ? [] : parseCertificates(ca))] });
}

/** Node leaves out silently what it cannot read, and the server then seems to be signed by an authority that nobody gave. */
function parseCertificates(pem: string): readonly string[] {
  const blocks = pem.match(/-----BEGIN (?:[A-Z0-9]+ )?CERTIFICATE-----[^-]*-----END [^-]*-----/g) ?? [];
  if (blocks.length > 0 && blocks.every(isCertificate)) return blocks;
  const message = "The certificate authority that was given is not a PEM certificate, or is damaged";
  throw Fault.of("BAD_REQUEST", "invalid", { message, evidence: { certificates: blocks.length } });
}

function isCertificate(block: string): boolean {
  try {
    return new X509Certificate(block).raw.length > 0;
  } catch {
    return false; // the parser's words are about its own insides
  }
}

/** The connections of one client, to one origin. HTTP/1.1 only: undici's HTTP/2 gains nothing at 8 requests at once. */
export function createAgent(secure: boolean, ca: string | undefined, slots: number): Agent {
  return new Agent({
    connections: slots,
    allowH2: false,
    keepAliveTimeout: KEEP_ALIVE_MS,
    keepAliveMaxTimeout: KEEP_ALIVE_MS,
    connect: {
      lookup: guardedLookup,
      autoSelectFamily: true,
      timeout: CONNECT_TIMEOUT_MS,
      ...(secure ? { secureContext: trustedContext(ca) } : {}),
    },
  });
}

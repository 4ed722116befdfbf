import { Fault, type Evidence } from "../faults/fault.ts";
import { ForbiddenAddressError } from "./addresses.ts";
import { ProxyError } from "./proxy-connector.ts";

/** Why a certificate is not trusted, by the error code of Node and OpenSSL. */
const TLS_REASONS = new Map<string, "unknown_ca" | "self_signed" | "name_mismatch" | "expired">([
  ["DEPTH_ZERO_SELF_SIGNED_CERT", "self_signed"],
  // The chain ends in a root that is sent along but not trusted: a company's own CA.
  ["SELF_SIGNED_CERT_IN_CHAIN", "unknown_ca"],
  ["UNABLE_TO_VERIFY_LEAF_SIGNATURE", "unknown_ca"],
  ["UNABLE_TO_GET_ISSUER_CERT", "unknown_ca"],
  ["UNABLE_TO_GET_ISSUER_CERT_LOCALLY", "unknown_ca"],
  ["CERT_UNTRUSTED", "unknown_ca"],
  ["CERT_REJECTED", "unknown_ca"],
  ["INVALID_CA", "unknown_ca"],
  ["INVALID_PURPOSE", "unknown_ca"],
  ["CERT_CHAIN_TOO_LONG", "unknown_ca"],
  ["CERT_SIGNATURE_FAILURE", "unknown_ca"],
  ["CERT_REVOKED", "expired"],
  ["CERT_HAS_EXPIRED", "expired"],
  ["CERT_NOT_YET_VALID", "expired"],
  ["ERR_TLS_CERT_ALTNAME_INVALID", "name_mismatch"],
  ["HOSTNAME_MISMATCH", "name_mismatch"],
]);

const NETWORK_REASONS = new Map<string, "dns" | "refused" | "timeout">([
  ["ENOTFOUND", "dns"],
  ["EAI_AGAIN", "dns"],
  ["EAI_FAIL", "dns"],
  ["EAI_NODATA", "dns"],
  ["ENODATA", "dns"],
  ["ECONNREFUSED", "refused"],
  ["EHOSTUNREACH", "refused"],
  ["ENETUNREACH", "refused"],
  ["EADDRNOTAVAIL", "refused"],
  ["EACCES", "refused"],
  ["EPERM", "refused"],
  ["ETIMEDOUT", "timeout"],
  ["UND_ERR_CONNECT_TIMEOUT", "timeout"],
  ["UND_ERR_HEADERS_TIMEOUT", "timeout"],
  ["UND_ERR_BODY_TIMEOUT", "timeout"],
]);

/**
 * What went wrong before GitLab answered. Of the library's error only its code is kept: it may hold the request, and with it the token.
 */
export function classifyNetworkError(thrown: unknown, evidence: Evidence): Fault {
  const forbidden = findInChain(thrown, (error) => error instanceof ForbiddenAddressError);
  if (forbidden instanceof ForbiddenAddressError) {
    const note = "The name leads to a link-local network or a cloud metadata service";
    return Fault.of("INVALID_URL", "", { evidence: { ...evidence, note, address: forbidden.address } });
  }
  const proxied = findInChain(thrown, (error) => error instanceof ProxyError);
  if (proxied instanceof ProxyError) return proxyTrouble(proxied, evidence);
  const code = findCode(thrown);
  const details = { evidence: { ...evidence, networkError: code }, cause: new Error(code) };
  const tls = TLS_REASONS.get(code);
  if (tls !== undefined) return Fault.of("TLS_UNTRUSTED", tls, details);
  if (code === "UND_ERR_DESTROYED" || code === "UND_ERR_CLOSED") {
    return Fault.of("CANCELLED", "", { ...details, message: "The GitLab client was closed" });
  }
  if (/^(EPROTO|ERR_SSL_|ERR_TLS_)/.test(code)) {
    const note = /CERTIFICATE_REQUIRED|BAD_CERTIFICATE|HANDSHAKE_FAILURE/.test(code)
      ? "The server broke the TLS handshake off: it may ask for a client certificate"
      : "The TLS handshake failed: this port may not speak https";
    return Fault.of("UNREACHABLE", "reset", { ...details, evidence: { ...details.evidence, note } });
  }
  if (code.startsWith("HPE_")) return Fault.of("NOT_GITLAB", "not_json", details);
  const reason = NETWORK_REASONS.get(code) ?? (isConnectionLoss(code) ? "reset" : undefined);
  if (reason === undefined) {
    return Fault.of("INTERNAL", "", { ...details, message: `The request could not be made (${code})` });
  }
  return Fault.of("UNREACHABLE", reason, { ...details, retryable: true });
}

/** A 407 wants other credentials, a 403 is a rule of the proxy; the rest may pass. */
function proxyTrouble({ proxy, status, code }: ProxyError, evidence: Evidence): Fault {
  const told = status === null ? { networkError: code } : { status };
  return Fault.of("UNREACHABLE", "proxy", {
    evidence: { ...evidence, ...told, proxy },
    cause: new Error(code),
    retryable: status !== 407 && status !== 403,
  });
}

/** System errors (`ECONNRESET`, `EPIPE` …) and undici's words for them; its `UND_ERR_INVALID_…` are mistakes of ours. */
function isConnectionLoss(code: string): boolean {
  return /^(E[A-Z]+|UND_ERR_(SOCKET|ABORTED|RES_.*)|ERR_STREAM_.*)$/.test(code);
}

/** With several addresses Node reports an AggregateError: the first one's code is the most telling. */
function findCode(thrown: unknown): string {
  const found = findInChain(thrown, (error) => "code" in error && typeof error.code === "string");
  return found && "code" in found ? String(found.code).slice(0, 60) : "unknown";
}

function findInChain(thrown: unknown, matches: (error: Error) => boolean, depth = 0): Error | null {
  if (!(thrown instanceof Error) || depth > 5) return null;
  const inner: unknown[] = thrown instanceof AggregateError ? thrown.errors : [];
  for (const error of inner) {
    const found = findInChain(error, matches, depth + 1);
    if (found) return found;
  }
  return matches(thrown) ? thrown : findInChain(thrown.cause, matches, depth + 1);
}

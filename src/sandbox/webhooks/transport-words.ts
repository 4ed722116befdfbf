import type { Phase } from "./post.ts";

/** The words of OpenSSL by Node's code of a failed verification. */
const TLS_WORDS: Readonly<Record<string, string>> = {
  DEPTH_ZERO_SELF_SIGNED_CERT: "self-signed certificate",
  SELF_SIGNED_CERT_IN_CHAIN: "self-signed certificate in certificate chain",
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: "unable to get local issuer certificate",
  UNABLE_TO_GET_ISSUER_CERT: "unable to get local issuer certificate",
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: "unable to get local issuer certificate",
  CERT_HAS_EXPIRED: "certificate has expired",
  CERT_NOT_YET_VALID: "certificate is not yet valid",
};

/** What Ruby says of a connection that came to nothing, where Node says something else. */
export function connectionError(url: URL, error: Error): Error {
  const words = wordsOf(url, error);
  return words === null ? error : new Error(words, { cause: error });
}

function wordsOf(url: URL, error: Error): string | null {
  const host = url.hostname.replace(/^\[|\]$/g, "");
  const port = url.port || (url.protocol === "https:" ? "443" : "80");
  const code = "code" in error ? String(error.code) : "";
  const opening = `Failed to open TCP connection to ${host}:${port}`;
  if (code === "ECONNREFUSED") {
    return `${opening} (Connection refused - connect(2) for "${host}" port ${port})`;
  }
  if (code === "ENOTFOUND" || code === "EAI_AGAIN")
    return `${opening} (getaddrinfo: Name or service not known)`;
  if (code === "EHOSTUNREACH") {
    return `${opening} (No route to host - connect(2) for "${host}" port ${port})`;
  }
  if (code === "ECONNRESET")
    return /hang up/.test(error.message) ? "end of file reached" : "Connection reset by peer";
  if (code === "ERR_TLS_CERT_ALTNAME_INVALID") {
    return `SSL_connect returned=1 errno=0 peeraddr=${host}:${port} state=error: certificate verify failed (hostname mismatch)`;
  }
  const tls = TLS_WORDS[code];
  if (tls === undefined) return null;
  return `SSL_connect returned=1 errno=0 peeraddr=${host}:${port} state=error: certificate verify failed (${tls})`;
}

/** Ruby's words for a call that took too long, by how far it had come. */
export function timeoutError(phase: Phase, timeoutMs: number): Error {
  if (phase === "connecting") return new Error("execution expired");
  if (phase === "waiting") return new Error("Net::ReadTimeout with #<TCPSocket:(closed)>");
  return new Error(`Request timed out after ${timeoutMs / 1000} seconds`);
}

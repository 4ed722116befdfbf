import { createSecureContext, getCACertificates, type SecureContext } from "node:tls";
import type { Network } from "./network.ts";
import { parseCertificates } from "./parse-network.ts";

/**
 * Trusts what Node brings (`NODE_EXTRA_CA_CERTS` included), what the machine trusts (git does too: API and clone shall agree) and the pasted PEM
 * certificates. Reading the machine's store takes 85 ms once per process, so it is done for https only. Throws `BAD_REQUEST` for a PEM text
 * that is damaged.
 */
export function trustedContext({ ca, clientCertificate }: Network): SecureContext {
  const known = [...getCACertificates("default"), ...getCACertificates("system")];
  const given = ca === undefined ? [] : parseCertificates(ca, "certificate authority");
  return createSecureContext({
    ca: [...new Set([...known, ...given])],
    ...(clientCertificate === undefined
      ? {}
      : { cert: clientCertificate.certificate, key: clientCertificate.key.reveal() }),
  });
}

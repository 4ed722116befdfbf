import { z } from "zod";
import type { Network } from "../gitlab/network.ts";
import { Secret } from "../kernel/secret.ts";
import type { Place, Vault } from "../secrets/vault.ts";

const secret = z.string().transform((text) => new Secret(text));
const storedSchema = z.object({
  proxy: secret.optional(),
  clientCertificate: z.object({ certificate: z.string(), key: secret }).optional(),
  headers: z.record(z.string(), secret).optional(),
});

/** Like the token's place: what was given for one origin does not open for another. */
export function networkPlace(id: string, baseUrl: string): Place {
  return { table: "connection", row: id, column: "network", origin: new URL(baseUrl).origin };
}

/** Everything but the authority, which is public and has its own column. Null: there is nothing else. */
export function sealNetwork(vault: Vault, network: Network, place: Place): Buffer | null {
  const { proxy, clientCertificate, headers } = network;
  if (proxy === undefined && clientCertificate === undefined && headers === undefined) return null;
  const text = JSON.stringify({
    proxy: proxy?.reveal(),
    clientCertificate: clientCertificate && {
      certificate: clientCertificate.certificate,
      key: clientCertificate.key.reveal(),
    },
    headers:
      headers && Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, value.reveal()])),
  });
  return vault.seal(new Secret(text), place);
}

/** What of it is in use, in words without any value. */
export function describeNetwork({ ca, proxy, clientCertificate, headers }: Network): string[] {
  const direct = proxy?.reveal() === "none";
  return [
    ...(ca === undefined ? [] : ["ca"]),
    ...(proxy === undefined ? [] : [direct ? "no proxy" : "proxy"]),
    ...(clientCertificate === undefined ? [] : ["client certificate"]),
    ...(Object.keys(headers ?? {}).length === 0 ? [] : ["headers"]),
  ];
}

/** Throws `KEY_UNUSABLE` like the vault. */
export function openNetwork(vault: Vault, sealed: Buffer | null, place: Place): Network {
  if (sealed === null) return {};
  return storedSchema.parse(JSON.parse(vault.open(sealed, place).reveal()));
}

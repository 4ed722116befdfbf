import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Secret } from "../../kernel/secret.ts";
import { issue, type Issued } from "./issue.ts";
import type { Knobs } from "../control/knobs.ts";

export type CertificateKind = Knobs["faults"]["certificate"];

/** What a sandbox with TLS shows: all made at its start, none kept. */
export interface Certificates {
  /** The private CA, PEM: what a client has to trust. */
  readonly ca: string;
  /** Another CA, PEM, that signs clients: the one above would be sent along if it were known to the server, and most GitLabs send theirs not. */
  readonly clientCa: string;
  /** What a client shows where one is asked for. */
  readonly client: KeyPair;
  readonly server: Readonly<Record<CertificateKind, KeyPair>>;
}

/** Both PEM. */
export interface KeyPair {
  readonly certificate: string;
  readonly key: Secret;
}

const DAY = 24 * 60 * 60 * 1000;

/** For a sandbox that listens at `host`. `now` is the machine's time: a client checks with its own clock. */
export function createCertificates(host: string, now: number): Certificates {
  const hosts = [...new Set(["localhost", "127.0.0.1", "::1", host])];
  const from = now - 2 * DAY;
  const until = now + 365 * DAY;
  const ca = issue({ name: "Fairlead sandbox CA", issuer: null, use: "authority", from, until });
  const clientCa = issue({ name: "Fairlead sandbox client CA", issuer: null, use: "authority", from, until });
  const server = { name: "localhost", issuer: ca, use: "server", hosts, from, until } as const;
  return {
    ca: ca.certificate,
    clientCa: clientCa.certificate,
    client: pair(issue({ name: "sandbox client", issuer: clientCa, use: "client", from, until })),
    server: {
      good: pair(issue(server)),
      expired: pair(issue({ ...server, until: now - DAY })),
      wrong_name: pair(issue({ ...server, name: "gitlab.example.com", hosts: ["gitlab.example.com"] })),
      self_signed: pair(issue({ ...server, issuer: null })),
    },
  };
}

function pair({ certificate, privateKey }: Issued): KeyPair {
  return { certificate, key: new Secret(privateKey.export({ type: "pkcs8", format: "pem" }).toString()) };
}

/** Writes what a client needs into a folder, so that `curl --cacert` and `git -c http.sslCAInfo` find it. Returns the files. */
export async function writeCertificates(
  folder: string,
  { ca, client }: Certificates,
): Promise<CertificateFiles> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const files = {
    ca: join(folder, "ca.pem"),
    clientCertificate: join(folder, "client.pem"),
    clientKey: join(folder, "client-key.pem"),
  };
  await writeFile(files.ca, ca);
  await writeFile(files.clientCertificate, client.certificate);
  await writeFile(files.clientKey, client.key.reveal(), { mode: 0o600 });
  return files;
}

export interface CertificateFiles {
  readonly ca: string;
  readonly clientCertificate: string;
  readonly clientKey: string;
}

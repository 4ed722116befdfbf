import { Secret } from "../kernel/secret.ts";
import type { Remote, RemoteWay } from "./source.ts";

/** Words of git's command line, and the files that they name. */
export interface WaySettings {
  readonly settings: readonly string[];
  readonly files: readonly Secret[];
}

/**
 * Proxy, client certificate and headers for git. Given as `-c` or in the environment everybody on the machine could read them (`/proc`), so
 * they are in a config file that has no name, and so is the key: git and its helpers open them through the descriptors that they inherit.
 */
export function waySettings(url: URL, way: RemoteWay | undefined): WaySettings {
  const { proxy = null, clientCertificate, headers = {} } = way ?? {};
  const lines = [
    ...(proxy === null ? [] : ["[http]", `\tproxy = ${quoted(proxy.reveal())}`, "\tproxyAuthMethod = basic"]),
    `[http ${quoted(url.origin)}]`,
    ...Object.entries(headers).map(
      ([name, value]) => `\textraHeader = ${quoted(`${name}: ${value.reveal()}`)}`,
    ),
    ...(clientCertificate === undefined ? [] : ["\tsslCert = /proc/self/fd/5", "\tsslKey = /proc/self/fd/6"]),
  ];
  const hasMore = proxy !== null || clientCertificate !== undefined || Object.keys(headers).length > 0;
  if (!hasMore) return { settings: [], files: [] };
  const config = new Secret(`${lines.join("\n")}\n`);
  const pair =
    clientCertificate === undefined ? [] : [new Secret(clientCertificate.certificate), clientCertificate.key];
  return { settings: ["include.path=/proc/self/fd/4"], files: [config, ...pair] };
}

/** Every secret that git may repeat in what it prints. */
export function secretsOfRemote({ token, way }: Pick<Remote, "token" | "way">): readonly Secret[] {
  const proxy = way?.proxy?.reveal();
  const password = proxy === undefined ? "" : new URL(proxy).password;
  return [token, ...Object.values(way?.headers ?? {}), ...(password === "" ? [] : [new Secret(password)])];
}

function quoted(text: string): string {
  return `"${text.replaceAll(/["\\]/g, "\\$&")}"`;
}

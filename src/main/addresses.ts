import type { AddressInfo } from "node:net";
import type { Config } from "../config.ts";

/** The address of a listening server as clients on this machine use it. */
export function urlOf(host: string, port: number): string {
  const reachable =
    host === "0.0.0.0" ? "127.0.0.1" : host === "::" ? "[::1]" : host.includes(":") ? `[${host}]` : host;
  return `http://${reachable}:${port}`;
}

export function portOf(address: AddressInfo | string | null): number {
  if (address === null || typeof address === "string")
    throw new Error("the server does not listen on a port");
  return address.port;
}

/** `http://shop.localhost:8080` for `shop.localhost`: the apps' scheme and port, with what port 0 became. */
export function appUrls(config: Pick<Config, "appsUrl">, edgePort: number): (host: string) => string {
  const { protocol, port } = new URL(config.appsUrl);
  const shown = port === "0" ? String(edgePort) : port;
  return (host) => `${protocol}//${host}${shown === "" ? "" : `:${shown}`}`;
}

/** Names the API is asked by, besides loopback and addresses: anything else may be a page in somebody's browser that rebinds a name. */
export function allowedHosts(config: Config): string[] {
  const own = [config.host, ...(config.publicUrl === null ? [] : [new URL(config.publicUrl).hostname])];
  return [...own, ...config.allowedHosts];
}

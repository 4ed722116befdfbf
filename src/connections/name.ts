import { Fault } from "../faults/fault.ts";

const NAME = /^[a-z0-9](?:[a-z0-9._-]{0,61}[a-z0-9])?$/i;

/** A name people type in commands and see in URLs. Throws `BAD_REQUEST`. Never looks like an id (`con_…`): `get` takes both. */
export function parseConnectionName(name: string): string {
  if (NAME.test(name) && !name.toLowerCase().startsWith("con_")) return name;
  throw Fault.of("BAD_REQUEST", "invalid", {
    message:
      "A connection's name has 1 to 63 letters, digits, dots, hyphens or underscores and begins and ends with a letter or digit",
  });
}

/** The host name of the instance: `git.acme.lan`; IPv6 addresses lose their brackets and colons. */
export function defaultConnectionName(baseUrl: string): string {
  const host = new URL(baseUrl).hostname.replaceAll(/[^a-z0-9.-]+/gi, "-").replaceAll(/^[.-]+|[.-]+$/g, "");
  return NAME.test(host) ? host : "gitlab";
}

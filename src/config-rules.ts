import { isIP } from "node:net";
import { z } from "zod";
import { Secret } from "./kernel/secret.ts";

/** How the text of a variable is judged. Complaints never repeat it: it may be a secret. */

export const secret = z
  .string()
  .trim()
  .transform((text) => new Secret(text))
  .nullable()
  .default(null);

export const port = (): z.ZodCoercedNumber =>
  z.coerce.number("must be a number").int("must be a whole number").min(0).max(65_535);

export const flag = z
  .stringbool({
    truthy: ["1", "true", "yes", "on"],
    falsy: ["0", "false", "no", "off"],
    error: "must be 1 or 0",
  })
  .default(false);

const HOST_NAME = /^(?=.{1,253}$)[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*$/;

export const hostName = z.string().regex(HOST_NAME, "must be a host name in lower case, without port");

export const listenHost = z
  .string()
  .refine(
    (text) => isIP(text) !== 0 || HOST_NAME.test(text),
    "must be an address or a host name, without port",
  );

/** An http address without credentials, query or fragment, without the slash at its end. */
export const webAddress = z
  .url({ protocol: /^https?$/, error: "must be an http:// or https:// address" })
  .refine((text) => !/[?#]|\/\/[^/]*@/.test(text), "must have no user name, query or fragment")
  .transform((text) => text.replace(/\/+$/, ""));

export const databaseUrl = z
  .string()
  .regex(/^postgres(ql)?:\/\//, "must begin with postgres://")
  .transform((text) => new Secret(text))
  .nullable()
  .default(null);

/** Never repeated in a complaint: it may hold a password. `proxy.acme.lan:3128` means http, as for other programs. */
export const proxyAddress = z
  .string()
  .trim()
  .transform((text) => (/^[a-z][a-z0-9+.-]*:\/\//i.test(text) ? text : `http://${text}`))
  .refine(isProxy, "must be an http:// or https:// address")
  .transform((text) => new Secret(text.replace(/\/+$/, "")))
  .nullable()
  .default(null);

function isProxy(text: string): boolean {
  if (!URL.canParse(text) || /\s/.test(text)) return false;
  const { protocol, hostname } = new URL(text);
  return hostname !== "" && (protocol === "http:" || protocol === "https:");
}

export function splitList(text: string): string[] {
  return text
    .split(",")
    .map((item) => item.trim().toLowerCase())
    .filter((item) => item !== "");
}

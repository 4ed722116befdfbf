import type { IncomingMessage } from "node:http";
import { invalidRequest } from "./reply.ts";

/** Where a token may stand in a request (§1.1). HTTP Basic is no place: ordinary API routes ignore it. */
export interface Credentials {
  /** `private_token` of query or body. */
  readonly parameter: string | null;
  readonly privateTokenHeader: string | null;
  /** `Authorization: Bearer`, or the parameter `access_token`. */
  readonly bearer: string | null;
  /** User id or name. */
  readonly sudo: string | null;
  readonly dpop: boolean;
}

/** Throws rack-oauth2's 400 for a request that has a Bearer header and an `access_token`. */
export function credentialsOf(
  request: IncomingMessage,
  input: Readonly<Record<string, unknown>>,
): Credentials {
  const header = (name: string): string | null => {
    const value = request.headers[name];
    return (Array.isArray(value) ? value[0] : value) || null;
  };
  const bearer = /^Bearer +(\S+) *$/i.exec(header("authorization") ?? "")?.[1] ?? null;
  const accessToken = textOf(input["access_token"]);
  if (bearer !== null && accessToken !== null) {
    throw invalidRequest("Both Authorization header and payload includes access token.");
  }
  return {
    parameter: textOf(input["private_token"]),
    privateTokenHeader: header("private-token"),
    bearer: bearer ?? accessToken,
    sudo: textOf(input["sudo"]) ?? header("sudo"),
    dpop: header("dpop") !== null,
  };
}

function textOf(value: unknown): string | null {
  if (typeof value === "number") return String(value);
  return typeof value === "string" && value !== "" ? value : null;
}

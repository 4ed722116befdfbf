import { z } from "zod";
import { Fault } from "../faults/fault.ts";
import type { Call, GitLabOptions } from "./gitlab.ts";
import { createTransport } from "./transport.ts";

const versionAnswer = z.object({ version: z.string().regex(/^\d+\.\d+/), revision: z.string() });

/**
 * Asks, without a token, whether GitLab answers at this address: its API refuses `/version` to strangers in its own words, in all versions. So a
 * token is never shown to something that is not GitLab. Throws the reaching codes, above all `NOT_GITLAB`.
 */
export async function identifyGitLab(options: Omit<GitLabOptions, "token">, call?: Call): Promise<void> {
  await using transport = createTransport({ ...options, token: null });
  const evidence = { method: "GET", pathTemplate: "/version", host: new URL(transport.origin).host };
  try {
    const { json, status } = await transport.send({ method: "GET", template: "/version", ...call });
    if (versionAnswer.safeParse(json).success) return;
    throw Fault.of("NOT_GITLAB", "not_json", { evidence: { ...evidence, status } });
  } catch (error) {
    if (!(error instanceof Fault)) throw error;
    if (isOwnRefusal(error)) return;
    if (REACHING.has(error.code)) throw error;
    throw Fault.of("NOT_GITLAB", "not_json", { evidence: error.evidence });
  }
}

/** The codes that say something about the way to GitLab; any other refusal came from another program's API. */
const REACHING = new Set<string>([
  "INVALID_URL",
  "UNREACHABLE",
  "TLS_UNTRUSTED",
  "REDIRECTED",
  "NOT_GITLAB",
  "RATE_LIMITED",
  "GITLAB_UNAVAILABLE",
  "CANCELLED",
  "INTERNAL",
]);

/** `{"message":"401 Unauthorized"}`; 403 where an address is barred for everybody. */
function isOwnRefusal(fault: Fault): boolean {
  const { words } = fault.evidence;
  return (
    (fault.is("AUTH_FAILED") && words === "401 Unauthorized") ||
    (fault.is("INSUFFICIENT_ROLE") && words === "403 Forbidden")
  );
}

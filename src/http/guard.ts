import { isIP } from "node:net";
import type { FastifyInstance, FastifyRequest } from "fastify";
import { Fault } from "../faults/fault.ts";
import type { ApiTokens } from "./api-tokens.ts";

/**
 * Refuses requests that name a host which is not ours: a stranger's page whose name was made to resolve to this machine (DNS
 * rebinding). An address as host cannot be rebound; names must be in the list. A browser's `Origin` has to be one of ours too.
 */
export function guardHosts(app: FastifyInstance, allowedHosts: readonly string[]): void {
  const allowed = new Set(["localhost", ...allowedHosts.map((host) => host.toLowerCase())]);
  const isOurs = (host: string): boolean =>
    isIP(host.replace(/^\[|\]$/g, "")) !== 0 || allowed.has(host.toLowerCase());
  app.addHook("onRequest", async (request) => {
    if (!isOurs(hostOf(`http://${request.headers.host ?? ""}`))) {
      throw refuse(
        "The request names a host that this server does not go by. FAIRLEAD_ALLOWED_HOSTS lists more names.",
      );
    }
    const { origin } = request.headers;
    if (origin !== undefined && !isOurs(hostOf(origin)))
      throw refuse("The request comes from a page of another site.");
  });
}

function refuse(message: string): Fault {
  return Fault.of("BAD_REQUEST", "invalid", { message });
}

function hostOf(url: string): string {
  return URL.canParse(url) ? new URL(url).hostname : "";
}

/** Every request of this scope must carry a known API token. */
export function guardToken(app: FastifyInstance, tokens: ApiTokens): void {
  app.addHook("onRequest", async (request, reply) => {
    const token = bearerOf(request);
    if (token !== null && (await tokens.verify(token)) !== null) return;
    reply.header("www-authenticate", 'Bearer realm="fairlead"');
    throw Fault.of("UNAUTHORIZED", "");
  });
}

function bearerOf(request: FastifyRequest): string | null {
  return /^Bearer +(\S{1,512})$/i.exec(request.headers.authorization ?? "")?.[1] ?? null;
}

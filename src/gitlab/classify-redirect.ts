import { Fault, type Evidence } from "../faults/fault.ts";
import type { Answer } from "./answer.ts";
import { toWords, type Redact } from "./redact.ts";

const LOGIN =
  /\/(users\/sign_in|oauth2?|login|signin|sign_in|sso|saml2?|auth|authorize|cdn-cgi\/access)(\/|$)|^(login|sso|auth|accounts?|idp|adfs|keycloak)\./i;

/**
 * A redirect is never followed: an HTTP client that does sends the token along or turns a POST into a GET. `from` and `to` are
 * evidence, without query (it may hold anything).
 */
export function classifyRedirect(answer: Answer, evidence: Evidence, redact: Redact): Fault {
  const from = new URL(answer.url);
  const location = answer.headers["location"] ?? "";
  if (!URL.canParse(location, from.href)) {
    return Fault.of("REDIRECTED", "other_host", { evidence: { ...evidence, from: show(from, redact) } });
  }
  const to = new URL(location, from);
  const details = { evidence: { ...evidence, from: show(from, redact), to: show(to, redact) } };
  if (isMoved(answer, from, to)) return Fault.of("PROJECT_NOT_FOUND", "moved", details);
  if (answer.method !== "GET" && isHome(from, to)) {
    return Fault.of("GITLAB_UNAVAILABLE", "maintenance", { ...details, retryable: true });
  }
  const upgraded = from.protocol === "http:" && to.protocol === "https:" && from.hostname === to.hostname;
  if (upgraded) return Fault.of("REDIRECTED", "to_https", details);
  const login = LOGIN.test(to.pathname) || LOGIN.test(to.hostname);
  return Fault.of("REDIRECTED", login ? "login" : "other_host", details);
}

/** GitLab 16.7+ answers requests by a project's old path with the address by its id. */
function isMoved({ pathTemplate }: Answer, from: URL, to: URL): boolean {
  const byId = /\/api\/v4\/projects\/\d+(\/|$)/.test(to.pathname) && to.pathname !== from.pathname;
  return byId && pathTemplate.startsWith("/projects/:id");
}

/** Maintenance mode and read-only databases send writes to the start page (`middleware/read_only/controller.rb`). */
function isHome(from: URL, to: URL): boolean {
  return to.origin === from.origin && to.pathname.replace(/\/$/, "") === basePathOf(from);
}

function basePathOf(from: URL): string {
  return from.pathname.split("/api/v4")[0] ?? "";
}

function show(url: URL, redact: Redact): string {
  return toWords(`${url.protocol}//${url.host}${url.pathname}`, redact, 300);
}

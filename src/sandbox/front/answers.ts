import type { IncomingMessage } from "node:http";
import type { Box } from "../box.ts";
import { forbidden, refuse, requestedTooOften, retryLater, type Reply } from "../reply.ts";
import type { AnswerName } from "./answer-names.ts";

type Answer = (box: Box, request: IncomingMessage) => Reply;

/** What stands in front of GitLab answers for it. `reset` and `hang` are no answers: the listener does them. */
export const FRONT_ANSWERS: Readonly<Record<Exclude<AnswerName, "none" | "reset" | "hang">, Answer>> = {
  bad_gateway: () => badGateway(),
  bad_gateway_plain: () => proxy(502, "502 Bad Gateway\n", "text/plain"),
  internal_error: () => refuse(500, "500 Internal Server Error").reply,
  rate_limited_application: (box) => {
    const { retryAfterSeconds } = box.state.faults.front;
    const told = box.version.has("retryAfterOfLimits");
    return requestedTooOften(told ? { "Retry-After": String(retryAfterSeconds) } : {}).reply;
  },
  rate_limited_rack_attack: (box) => rackAttack(box),
  forbidden_network: () => forbidden().reply,
  ldap_unreachable: () => forbidden("Your account has been blocked.").reply,
  redirect_to_https: (box, request) => {
    const host = (request.headers.host ?? "localhost").replace(/:\d+$/, "");
    return redirect(301, (box.state.faults.front.redirectTo ?? `https://${host}`) + (request.url ?? "/"));
  },
  redirect_to_host: (box, request) =>
    redirect(301, (box.state.faults.front.redirectTo ?? "http://gitlab.example.com") + (request.url ?? "/")),
  redirect_to_login: (box) => redirect(302, `${box.state.faults.front.redirectTo ?? box.url}/users/sign_in`),
  sso_page: () =>
    page(200, "Sign in", '<h1>Sign in with your company account</h1>\n<form method="post"></form>'),
  sso_redirect: (box, request) => {
    const back = encodeURIComponent(`${box.url}${request.url ?? "/"}`);
    const provider = box.state.faults.front.redirectTo ?? "https://login.example.com";
    return redirect(302, `${provider}/oauth2/authorize?redirect_uri=${back}`);
  },
  proxy_login: () => ({
    ...page(401, "401 Authorization Required", "<center><h1>401 Authorization Required</h1></center>"),
    headers: { "WWW-Authenticate": 'Basic realm="Restricted"' },
  }),
  waf_page: () =>
    page(403, "Request Rejected", "The requested URL was rejected. Your support ID is: 1234567890123456789"),
  deploy_page: () =>
    page(200, "Deploy in progress", "<h1>Deploy in progress</h1>\n<p>Please try again in a few minutes.</p>"),
  other_application: () => page(404, "404 Not Found", "<center><h1>404 Not Found</h1></center>"),
};

/** What nginx says when Rails does not. */
function badGateway(): Reply {
  const words = "<h1>502</h1>\n<h3>Whoops, GitLab is taking too much time to respond.</h3>";
  return page(502, "GitLab is not responding (502)", words);
}

/** The page of a server that is not GitLab's Rails: it has none of Rails' headers. */
export function page(status: number, title: string, body: string): Reply {
  const text = `<!DOCTYPE html>\n<html>\n<head><title>${title}</title></head>\n<body>\n${body}\n</body>\n</html>\n`;
  return proxy(status, text, "text/html");
}

function proxy(status: number, text: string, contentType: string): Reply {
  return { status, text, contentType, fromProxy: true };
}

function redirect(status: number, location: string): Reply {
  return {
    ...page(status, `${status}`, `<center><h1>${status}</h1></center>`),
    headers: { Location: location },
  };
}

/** Headers by version as in §12 of the behaviour reference. */
function rackAttack({ state, version }: Box): Reply {
  const seconds = state.faults.front.retryAfterSeconds;
  const reset = Math.ceil(state.clock.now() / 1000) + seconds;
  return retryLater({
    ...(version.has("rackAttackRetryAfter") ? { "Retry-After": String(seconds) } : {}),
    ...(version.has("rackAttackRateLimit")
      ? {
          "RateLimit-Name": "throttle_authenticated_api",
          "RateLimit-Limit": "120",
          "RateLimit-Observed": "121",
          "RateLimit-Remaining": "0",
          "RateLimit-Reset": String(reset),
          "RateLimit-ResetTime": new Date(reset * 1000).toUTCString(),
        }
      : {}),
  });
}

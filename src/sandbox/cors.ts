import type { IncomingMessage } from "node:http";

const EXPOSED =
  "Link, X-Total, X-Total-Pages, X-Per-Page, X-Page, X-Next-Page, X-Prev-Page, X-Gitlab-Blob-Id, X-Gitlab-Commit-Id, X-Gitlab-Content-Sha256, X-Gitlab-Encoding, X-Gitlab-File-Name, X-Gitlab-File-Path, X-Gitlab-Last-Commit-Id, X-Gitlab-Ref, X-Gitlab-Size, X-Request-Id, ETag";
const METHODS = "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS";

/** GitLab lets every page of the web call its API, without cookies; Retry-After and the RateLimit headers stay hidden (§1.8). */
export function corsHeaders(request: IncomingMessage): Readonly<Record<string, string>> {
  if (request.headers.origin === undefined) return {};
  const asked = request.headers["access-control-request-headers"];
  return {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Allow-Methods": METHODS,
    "Access-Control-Expose-Headers": EXPOSED,
    "Access-Control-Max-Age": "7200",
    ...(asked === undefined ? {} : { "Access-Control-Allow-Headers": asked }),
  };
}

export function isPreflight(request: IncomingMessage): boolean {
  const { origin, "access-control-request-method": method } = request.headers;
  return request.method === "OPTIONS" && origin !== undefined && method !== undefined;
}

import { expect, test } from "vitest";
import * as reply from "./reply.ts";

const REALM = 'Bearer realm="Protected by OAuth 2.0"';

test.each([
  [reply.unauthorized(), 401, { message: "401 Unauthorized" }],
  [reply.forbidden(), 403, { message: "403 Forbidden" }],
  [reply.forbidden("because"), 403, { message: "403 Forbidden - because" }],
  [reply.notFound("Project"), 404, { message: "404 Project Not Found" }],
  [reply.recordNotFound(), 404, { message: "404 Not found" }],
  [reply.nothingFound(), 404, { message: "404 Not Found" }],
  [reply.noSuchRoute(), 404, { error: "404 Not Found" }],
  [reply.badRequest("x"), 400, { message: "400 Bad request - x" }],
  [reply.methodNotAllowed(), 405, { message: "405 Method Not Allowed" }],
  [reply.conflict(), 409, { message: "409 Conflict" }],
  [reply.conflict("Resource lock"), 409, { message: "409 Conflict: Resource lock" }],
  [reply.preconditionFailed(), 412, { message: "412 Precondition Failed" }],
  [reply.refuse(400, { name: ["is too long"] }), 400, { message: { name: ["is too long"] } }],
  [reply.refuseAsError(422, "Invalid url given"), 422, { error: "Invalid url given" }],
  [reply.invalidRequest("x"), 400, { error: "invalid_request", error_description: "x" }],
  [
    reply.insufficientGranularScope("x"),
    403,
    { error: "insufficient_granular_scope", error_description: "x" },
  ],
  [
    reply.insufficientScope("api"),
    403,
    {
      error: "insufficient_scope",
      error_description: "The request requires higher privileges than provided by the access token.",
      scope: "api",
    },
  ],
])("$reply.status $reply.json", ({ reply: { headers, ...answer } }, status, json) => {
  expect([answer.status, answer.json, headers]).toEqual([status, json, undefined]);
});

test("only errors of the OAuth standard stand in the challenge", () => {
  expect(reply.invalidToken("Dead.").reply.headers).toEqual({
    "WWW-Authenticate": `${REALM}, error="invalid_token", error_description="Dead."`,
  });
  expect(reply.dpopError("x").reply).toMatchObject({
    status: 401,
    json: { error: "dpop_error", error_description: "DPoP validation error: x" },
    headers: { "WWW-Authenticate": REALM },
  });
});

test("accepted work, headers of the application's limiter and Rack::Attack's text", () => {
  expect(reply.accepted()).toEqual({ status: 202, json: { message: "202 Accepted" } });
  expect(reply.requestedTooOften({ "Retry-After": "5" }).reply.json).toEqual({
    message: { error: "This endpoint has been requested too many times. Try again later." },
  });
  expect(reply.retryLater({})).toMatchObject({
    status: 429,
    text: "Retry later\n",
    contentType: "text/plain",
  });
  const answer = reply.withHeaders(reply.ok({}, { Link: "own" }), { Link: "other", Vary: "Origin" });
  expect(answer.headers).toEqual({ Link: "own", Vary: "Origin" });
});

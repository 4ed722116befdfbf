import { PassThrough } from "node:stream";
import { describe, expect, test } from "vitest";
import { startAnswering, type Reply } from "../../test/support/answering-server.ts";
import { gitlab, TOKEN } from "../../test/support/gitlab-scene.ts";
import { CODES, type FaultCode } from "../faults/codes.ts";
import { Fault } from "../faults/fault.ts";
import { toProblem } from "../faults/problem.ts";
import { Secret } from "../kernel/secret.ts";
import { createKnownSecrets } from "../telemetry/known-secrets.ts";
import { createLogger } from "../telemetry/log.ts";
import { checkConnection } from "./check.ts";
import { shareDiagnosis } from "./share.ts";

const FORMS = [
  TOKEN,
  encodeURIComponent(TOKEN),
  Buffer.from(`oauth2:${TOKEN}`).toString("base64"),
  Buffer.from(TOKEN).toString("base64url"),
];
/** What is left of a base64 text when its ends, which depend on what stands around, are left out. */
const HUNTED = [
  TOKEN,
  Buffer.from(TOKEN).toString("base64").slice(4, 24),
  Buffer.from(`oauth2:${TOKEN}`).toString("base64").slice(12, 32),
];
const leaks = (text: string): readonly string[] => HUNTED.filter((form) => text.includes(form));

/** A GitLab, or what stands before it, that repeats what it was sent. */
const ECHOES: readonly (readonly [name: string, reply: (words: string) => Reply])[] = [
  ["400", (words) => ({ status: 400, body: { message: `400 Bad request - ${words}` } })],
  [
    "401",
    (words) => ({
      status: 401,
      body: { error: "invalid_token", error_description: `${words} Token is expired.` },
    }),
  ],
  ["401 in HTML", (words) => ({ status: 401, body: `<title>${words}</title>` })],
  ["403", (words) => ({ status: 403, body: { message: `403 Forbidden - ${words} has been blocked` } })],
  [
    "403 of scopes",
    (words) => ({
      status: 403,
      body: { error: "insufficient_scope", error_description: words, scope: words },
    }),
  ],
  ["404", (words) => ({ status: 404, body: { message: `404 ${words} Not Found` } })],
  ["422", (words) => ({ status: 422, body: { message: { [words]: [words] } } })],
  ["500", (words) => ({ status: 500, body: { message: words }, headers: { "x-request-id": words } })],
  [
    "a redirect",
    (words) => ({ status: 302, headers: { location: `https://sso.acme.lan/${words}/login?t=${words}` } }),
  ],
  [
    "a page",
    (words) => ({ status: 200, body: `<title>Sign in ${words}</title>`, headers: { server: words } }),
  ],
  ["a user", (words) => ({ status: 200, body: { id: 7, username: words, bot: false, web_url: words } })],
];

describe("a token that is sent back", () => {
  test.each(ECHOES)("in %s is in no diagnosis and no shared one", async (_, reply) => {
    for (const form of FORMS) {
      for (const path of ["GET /version", "GET /personal_access_tokens/self", "GET /user"]) {
        await using server = await startAnswering(gitlab({ over: { [path]: reply(form) } }));
        const { diagnosis } = await checkConnection({ url: server.url, token: new Secret(TOKEN) });
        const texts = [JSON.stringify(diagnosis), JSON.stringify(shareDiagnosis(diagnosis))];
        expect(texts.flatMap(leaks), `${path} with ${form}`).toEqual([]);
      }
    }
  });
});

const pairs = (Object.keys(CODES) as FaultCode[]).flatMap((code) =>
  CODES[code].map((reason: string) => [code, reason] as const),
);

test.each(pairs)("%s %s: no log line holds a secret", (code, reason) => {
  const known = createKnownSecrets();
  known.learn(new Secret(TOKEN));
  const stream = new PassThrough();
  const log = createLogger({ level: "debug", stream, redact: known.redact });
  for (const form of FORMS) {
    const evidence = { words: form, host: form, to: `https://x/${form}`, requestId: form, [form]: form };
    const cause = new Error(`${form} and more`);
    const fault = Fault.of(code, reason as never, { evidence, cause, message: `Failed with ${form}` });
    log.error({ error: fault, problem: toProblem(fault, {}) }, `It failed: ${form}`);
  }
  const lines = String(stream.read());
  expect(lines).toContain(code);
  expect(leaks(lines)).toEqual([]);
});

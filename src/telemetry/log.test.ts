import * as fc from "fast-check";
import { expect, test } from "vitest";
import { Secret } from "../kernel/secret.ts";
import { createLogger, silentLogger, type LogStream } from "./log.ts";

function capture(isTTY = false): LogStream & { text: () => string } {
  const parts: string[] = [];
  return { write: (part) => parts.push(part), isTTY, text: () => parts.join("") };
}

const SECRET = "glpat-XyZ0123456789abcdef";
const redact = (text: string): string => text.replaceAll(SECRET, "[redacted]");

test("a line is one JSON object with level, time, message and fields, and nothing else", () => {
  const stream = capture();
  createLogger({ level: "info", redact, stream }).child({ app: "shop" }).warn({ tries: 2 }, "Hook missing");
  const { time, ...rest } = JSON.parse(stream.text());
  expect(rest).toEqual({ level: "warn", app: "shop", tries: 2, msg: "Hook missing" });
  expect(new Date(time).toISOString()).toBe(time);
});

test("levels below the chosen one cost and print nothing", () => {
  const stream = capture();
  const log = createLogger({ level: "error", redact, stream });
  log.info(
    {
      get expensive(): never {
        throw new Error("read");
      },
    },
    "no",
  );
  log.warn({}, "no");
  silentLogger.error({}, "no");
  expect(stream.text()).toBe("");
});

test("a Secret, a secret name and an Error with a request hung on it do not print", () => {
  const stream = capture();
  const error = Object.assign(new Error("refused"), {
    code: "E1",
    request: { headers: { "private-token": "t-1" } },
    cause: new Error(`with ${SECRET}`),
  });
  createLogger({ level: "info", redact, stream }).info(
    {
      value: new Secret(SECRET),
      headers: { "PRIVATE-TOKEN": "t-2", authorization: "Bearer t-3", "x-gitlab-token": "t-4" },
      private_key: "t-5",
      tokenKind: "personal",
      error,
    },
    `message ${SECRET}`,
  );
  const text = stream.text();
  expect(text).not.toContain(SECRET);
  for (const leaked of ["t-1", "t-2", "t-3", "t-4", "t-5"]) expect(text).not.toContain(leaked);
  expect(JSON.parse(text)).toMatchObject({
    tokenKind: "personal",
    error: { message: "refused", code: "E1" },
  });
});

test("an error keeps its type under any name", () => {
  const stream = capture();
  const log = createLogger({ level: "info", redact, stream });
  log.info({ err: new TypeError("a"), error: new TypeError("b") }, "x");
  expect(JSON.parse(stream.text())).toMatchObject({
    err: { type: "TypeError", message: "a" },
    error: { type: "TypeError", message: "b" },
  });
});

test("cyclic, deep and huge values do not stop the log", () => {
  const stream = capture();
  const cyclic: Record<string, unknown> = { big: "x".repeat(100_000), many: Array.from({ length: 5000 }) };
  cyclic["self"] = cyclic;
  createLogger({ level: "info", redact, stream }).info({ cyclic, when: new Date(Number.NaN), n: 1n }, "ok");
  expect(JSON.parse(stream.text())).toMatchObject({ msg: "ok", n: "1", when: null });
  expect(stream.text().length).toBeLessThan(20_000);
});

test("on a terminal: one plain line, without anybody's escape sequences", () => {
  const stream = capture(true);
  createLogger({ level: "info", redact, stream }).info({ ref: "a\u001B[31mb\nc", ok: true }, "Done\u001B[2J");
  expect(stream.text()).toMatch(/^\d\d:\d\d:\d\d info {2}Done {2}ref="a\\u001b\[31mb\\nc" {2}ok=true\n$/);
});

test("wherever a secret is put, no line holds it", () => {
  const place: fc.Arbitrary<unknown> = fc.letrec((tie) => ({
    node: fc.oneof(
      { maxDepth: 4 },
      fc.constantFrom(
        SECRET,
        `x${SECRET}y`,
        new Secret(SECRET),
        new Error(SECRET),
        new URL(`https://h/${SECRET}`),
      ),
      fc.string(),
      fc.array(tie("node"), { maxLength: 3 }),
      fc.dictionary(fc.oneof(fc.string(), fc.constant(SECRET)), tie("node"), { maxKeys: 3 }),
    ),
  })).node;
  fc.assert(
    fc.property(
      fc.dictionary(fc.string(), place, { maxKeys: 4 }),
      fc.string(),
      fc.boolean(),
      (fields, text, tty) => {
        const stream = capture(tty);
        createLogger({ level: "debug", redact, stream })
          .child(fields)
          .error(fields, text + SECRET);
        expect(stream.text()).not.toContain(SECRET);
        expect(stream.text()).toContain("error");
      },
    ),
    { numRuns: 300 },
  );
});

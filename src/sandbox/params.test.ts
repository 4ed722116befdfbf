import { expect, test } from "vitest";
import { flag, integer, oneOf, text, validate } from "./params.ts";
import { Refusal } from "./reply.ts";

function problemsOf(work: () => unknown): unknown {
  try {
    work();
  } catch (error) {
    if (error instanceof Refusal) return error.reply.json;
    throw error;
  }
  return null;
}

const shape = {
  key: text,
  title: text,
  count: integer.optional(),
  on: flag.optional(),
  kind: oneOf(["a", "b"]).optional(),
};

test("every problem is told, in the order of declaration", () => {
  expect(problemsOf(() => validate(shape, { count: "x", kind: "c" }, []))).toEqual({
    error: "key is missing, title is missing, count is invalid, kind does not have a valid value",
  });
});

test("at least one of a group must be there", () => {
  const check = (given: Record<string, unknown>): unknown =>
    problemsOf(() => validate({ name: text.optional(), path: text.optional() }, given, ["name", "path"]));
  const words = "name, path are missing, at least one parameter must be provided";
  expect(check({})).toEqual({ error: words });
  expect(check({ name: null })).toEqual({ error: words });
  expect(check({ path: "x" })).toBeNull();
});

test("texts of forms become what the endpoint declared, unknown names vanish", () => {
  const given = { key: 1, title: "t", count: "20", on: "false", extra: "x" };
  expect(validate(shape, given, [])).toEqual({ key: "1", title: "t", count: 20, on: false });
});

test("names of Object's own are parameters like any other", () => {
  expect(problemsOf(() => validate(shape, JSON.parse('{"__proto__":{"key":"x"},"title":"t"}'), []))).toEqual({
    error: "key is missing",
  });
});

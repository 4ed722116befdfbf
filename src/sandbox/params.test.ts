import { describe, expect, test } from "vitest";
import type { z } from "zod";
import {
  commaSeparated,
  date,
  dateTime,
  filled,
  flag,
  integer,
  integerOf,
  keyValues,
  oneOf,
  text,
  validate,
  type Rules,
} from "./params.ts";
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

test("what changes nothing is checked too, and not handed on", () => {
  const rules = { ignored: { old: flag.optional(), on: text.optional() } };
  expect(problemsOf(() => validate(shape, { key: "k", title: "t", old: "maybe" }, [], rules))).toEqual({
    error: "old is invalid",
  });
  expect(validate(shape, { key: "k", title: "t", old: "yes", on: "true" }, [], rules)).toEqual({
    key: "k",
    title: "t",
    on: true,
  });
});

test("a flag takes every spelling that dry-types takes, and no other", () => {
  for (const word of ["True", "TRUE", "true", "Yes", "y", "1", "on"]) expect(flag.parse(word)).toBe(true);
  for (const word of ["False", "N", "OFF", "0", "f"]) expect(flag.parse(word)).toBe(false);
  for (const word of ["tRue", "maybe", "", "2"]) expect(flag.safeParse(word).success).toBe(false);
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

describe("Grape's other validators", () => {
  const problems = (shape: z.ZodRawShape, given: Record<string, unknown>, rules: Rules = {}): unknown =>
    problemsOf(() => validate(shape, given, [], rules));

  test.each([
    [{}, "ref is missing, ref is empty"],
    [{ ref: "  " }, "ref is empty"],
    [{ ref: "main", level: 35 }, "level does not have a valid value"],
    [{ ref: "main", level: "x" }, "level is invalid"],
    [{ ref: "main", on: "yesterday" }, "on is invalid"],
    [{ ref: "main", at: "soon" }, "at is invalid"],
    [{ ref: { a: 1 } }, "ref is invalid"],
    [{ ref: "main", headers: [{ key: "a" }] }, "headers[0][value] is missing"],
    [{ ref: "main", headers: "x" }, "headers is invalid"],
  ])("%j: %s", (given, error) => {
    const shape = {
      ref: filled,
      level: integerOf([10, 20]).optional(),
      on: date.optional(),
      at: dateTime.optional(),
      headers: keyValues.optional(),
    };
    expect(problems(shape, given)).toEqual({ error });
  });

  test.each([
    [{ exactlyOneOf: [["a", "b"]] }, {}, "a, b are missing, exactly one parameter must be provided"],
    [{ exactlyOneOf: [["a", "b"]] }, { a: "1", b: "2" }, "a, b are mutually exclusive"],
    [{ mutuallyExclusive: [["a", "b", "c"]] }, { a: "1", c: "2" }, "a, c are mutually exclusive"],
    [{ allOrNone: [["a", "b"]] }, { a: "1" }, "a, b provide all or none of parameters"],
    [{ atLeastOneOf: [["a", "b"]] }, {}, "a, b are missing, at least one parameter must be provided"],
  ])("%j of %j: %s", (rules, given, error) => {
    const shape = { a: text.optional(), b: text.optional(), c: text.optional() };
    expect(problems(shape, given, rules)).toEqual({ error });
    expect(problems(shape, { b: "1" }, { mutuallyExclusive: [["a", "b"]] })).toBeNull();
  });

  test("days, times and lists arrive in one form; an empty number is none", () => {
    const shape = {
      on: date,
      at: dateTime,
      names: commaSeparated,
      more: commaSeparated,
      count: integer.optional(),
      word: text.optional(),
    };
    const given = {
      on: "2027-1-5",
      at: "2027-01-05T01:00:00+01:00",
      names: "a, b",
      more: ["c"],
      count: "",
      word: "",
    };
    expect(validate(shape, given, [])).toEqual({
      on: "2027-01-05",
      at: "2027-01-05T00:00:00.000Z",
      names: ["a", "b"],
      more: ["c"],
      word: "",
    });
  });
});

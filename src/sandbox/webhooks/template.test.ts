import * as fc from "fast-check";
import { expect, test } from "vitest";
import { bodyOf, interpolatedUrl, missingVariables } from "./template.ts";

const payload = { object_kind: "push", project: { name: 'a "b"', id: 7 }, commits: [{ title: "x" }] };

test.each([
  [null, JSON.stringify(payload)],
  ["  ", JSON.stringify(payload)],
  ['{"event":"{{object_kind}}"}', '{"event":"push"}'],
  ['{"id":{{project.id}},"name":"{{project.name}}"}', String.raw`{"id":7,"name":"a \"b\""}`],
  ['{"all":{{project}}}', `{"all":${JSON.stringify(payload.project)}}`],
  ['{"none":{{nothing.here}}}', '{"none":null}'],
  ['{"kept":"{{object_kind"}', '{"kept":"{{object_kind"}'],
  ['{"proto":{{__proto__}},"c":{{constructor}}}', '{"proto":null,"c":null}'],
])("%s", (template, expected) => {
  expect(bodyOf(template, payload)).toBe(expected);
});

test("what is no JSON in the end, and lists, are errors with GitLab's words", () => {
  expect(() => bodyOf('{"a":"{{object_kind}}', payload)).toThrow(
    /^Error while parsing rendered custom webhook template: /,
  );
  expect(() => bodyOf('{"a":"{{commits.title}}"}', payload)).toThrow(
    "Error while parsing rendered custom webhook template: You may be trying to access an array value, which is not supported.",
  );
});

test("whatever a value is, it stays a value", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary" }), (text) => {
      expect(JSON.parse(bodyOf('{"a":"{{v}}"}', { v: text }))).toEqual({ a: text });
    }),
  );
});

test("variables stand in for parts of a URL", () => {
  const hook = { url: "http://{host}/{path}?{host}", urlVariables: [{ key: "host", value: "x.example" }] };
  expect(interpolatedUrl(hook)).toBe("http://x.example/{path}?x.example");
  expect(missingVariables(hook)).toEqual(["path"]);
});

import { expect, test } from "vitest";
import { pushOptions } from "./push-options.ts";

test("known namespaces are nested, unknown ones dropped, variables counted", () => {
  const given = [
    "ci.skip",
    "mr.title=a=b",
    "ci.variable=A=1",
    "ci.variable=B=2",
    "nonsense",
    "x.y",
    "__proto__.x=1",
  ];
  expect(pushOptions(given)).toEqual({
    ci: { skip: true, variable: { "A=1": 1, "B=2": 1 } },
    merge_request: { title: "a=b" },
  });
});

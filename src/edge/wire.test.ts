import { describe, expect, it } from "vitest";
import { InvalidInput, parseRoute } from "./wire.ts";

const good = {
  host: "a.test",
  environmentId: "env",
  releaseId: "rel",
  targets: [{ host: "127.0.0.1", port: 3000 }],
  generation: 4,
};

describe("parseRoute", () => {
  it("takes a route and nothing that is not of it", () => {
    expect(parseRoute({ ...good, extra: 1 })).toEqual(good);
  });

  it.each([
    null,
    [],
    "route",
    {},
    { ...good, host: "A.test" },
    { ...good, host: "a.test:80" },
    { ...good, host: 4 },
    { ...good, generation: -1 },
    { ...good, generation: 1.5 },
    { ...good, generation: 2 ** 60 },
    { ...good, generation: "4" },
    { ...good, releaseId: "" },
    { ...good, targets: {} },
    { ...good, targets: [null] },
    { ...good, targets: [{ host: "", port: 1 }] },
    { ...good, targets: [{ host: "127.0.0.1", port: 0 }] },
    { ...good, targets: [{ host: "127.0.0.1", port: 65_536 }] },
  ])("refuses %j", (value) => {
    expect(() => parseRoute(value)).toThrow(InvalidInput);
  });
});

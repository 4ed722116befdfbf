import { PassThrough } from "node:stream";
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { ago, duration, printTable, shorten } from "./table.ts";
import { createTerminal, onlyColours, plain } from "./terminal.ts";

function terminal(isTTY: boolean, noColor = false) {
  const stdout = Object.assign(new PassThrough(), { isTTY });
  const stderr = Object.assign(new PassThrough(), { isTTY });
  const made = createTerminal({ stdin: new PassThrough(), stdout, stderr }, () => noColor);
  return { made, out: () => String(stdout.read() ?? ""), err: () => String(stderr.read() ?? "") };
}

test("colours and moving lines only where there is a terminal that wants them", () => {
  expect(terminal(true).made.paint("red", "x")).not.toBe("x");
  expect(terminal(true, true).made.paint("red", "x")).toBe("x");
  const pipe = terminal(false);
  pipe.made.live("working");
  expect([pipe.made.paint("red", "x"), pipe.err()]).toEqual(["x", ""]);
});

test("a stranger's text cannot move the cursor", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary" }), (text) => {
      expect(plain(text)).not.toMatch(/\p{Cc}/u);
      expect(onlyColours(text).replaceAll(/\p{Cc}\[[\d;]*m/gu, "")).not.toMatch(/\p{Cc}/u);
    }),
  );
  expect(plain("\u001B]0;title\u0007a\nb")).not.toMatch(/\p{Cc}/u);
  expect(plain("main\u202Egnp.exe\u2066x")).toBe("main gnp.exe x");
});

test("a build's colours stay, its cursor movements go", () => {
  expect(onlyColours("\u001B[32mok\u001B[0m\u001B[2K\tend\u0007")).toBe("\u001B[32mok\u001B[0m    end ");
});

test("columns line up, long cells are cut, ends are not padded", () => {
  const { made, out } = terminal(false);
  printTable(
    made,
    ["A", "LONG"],
    [
      ["x", "y"],
      ["abc", "z".repeat(100)],
    ],
  );
  expect(out()).toBe(`A    LONG\nx    y\nabc  ${"z".repeat(59)}…\n`);
});

test("lengths of time in words", () => {
  const now = new Date("2026-01-02T00:00:00Z");
  const before = (seconds: number): string => ago(new Date(now.getTime() - seconds * 1000), now);
  expect([before(-5), before(59), before(60), before(7200), before(3 * 86_400)]).toEqual([
    "0 s ago",
    "59 s ago",
    "1 min ago",
    "2 h ago",
    "3 days ago",
  ]);
  expect([duration(0), duration(3149), duration(125_000)]).toEqual(["0.0 s", "3.1 s", "2 min 5 s"]);
  expect(shorten("abc", 3)).toBe("abc");
});

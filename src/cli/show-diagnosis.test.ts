import { PassThrough } from "node:stream";
import { expect, test } from "vitest";
import { diagnosis } from "../../test/support/services.ts";
import type { DiagnosisAnswer } from "../http/contract.ts";
import { printDiagnosis } from "./show-diagnosis.ts";
import { createTerminal } from "./terminal.ts";

const check = (id: string): DiagnosisAnswer["checks"][number] => ({
  id,
  state: "ok",
  title: `${id} is well`,
  evidence: `seen at ${id}`,
  evidenceSource: "live",
  fix: null,
  ms: 1,
});
const fine = { ...diagnosis, checks: Array.from({ length: 27 }, (_, index) => check(`check.${index}`)) };

function shown(isTTY: boolean, verbose: boolean): string[] {
  const stdout = Object.assign(new PassThrough(), { isTTY });
  printDiagnosis(
    createTerminal({ stdin: new PassThrough(), stdout, stderr: stdout }, () => true),
    fine,
    verbose,
  );
  return String(stdout.read()).split("\n");
}

test("on a screen what is fine takes one line together; elsewhere each check has its own", () => {
  const short = shown(true, false);
  expect(short.length).toBeLessThan(12);
  expect(short.filter((line) => line.includes("check.26"))).toEqual([expect.stringMatching(/^ {2}fine: /)]);
  expect(shown(false, false)).toContain("  check.26         check.26 is well");
});

test("verbose: each check on a line, with what was seen, on a screen as well", () => {
  for (const isTTY of [true, false])
    expect(shown(isTTY, true)).toContain("  check.26         check.26 is well: seen at check.26");
});

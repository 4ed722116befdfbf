import { Fault, toFault } from "../faults/fault.ts";
import { toProblem } from "../faults/problem.ts";
import type { DiagnosisAnswer, Problem } from "../http/contract.ts";
import { ServerProblem } from "./failure.ts";
import { plain, type Terminal } from "./terminal.ts";

export type ErrorFacts = NonNullable<DiagnosisAnswer["error"]>;

/**
 * What a thrown thing means for people and for `--json`: the same object as a diagnosis' `error`. `requestId` in the evidence is GitLab's, for
 * its administrator; the one of the request to Fairlead stands beside it.
 */
export function errorFacts(thrown: unknown): ErrorFacts {
  const problem: Problem = thrown instanceof ServerProblem ? thrown.problem : toProblem(toFault(thrown), {});
  const { code, reason, title, detail, fix, evidence, requestId } = problem;
  return {
    code,
    reason,
    title,
    cause: detail,
    fix,
    evidence: { ...evidence, ...(requestId && { fairleadRequestId: requestId }) },
  };
}

export function isUnreachable(thrown: unknown): boolean {
  return thrown instanceof Fault && thrown.is("SERVER_UNREACHABLE");
}

/** Title, cause, fix, evidence: in that order, because that is the order of the reader's questions. */
export function errorLines(terminal: Terminal, error: ErrorFacts): string[] {
  const code = error.reason === "" ? error.code : `${error.code} (${error.reason})`;
  const evidence = Object.entries(error.evidence).filter(
    ([name, value]) => name !== "note" && value !== undefined && value !== "",
  );
  return [
    `${terminal.paint("red", "✗")} ${terminal.paint("bold", plain(error.title))}  ${terminal.paint("dim", code)}`,
    ...indent(4, error.cause),
    ...(error.fix.length === 0 ? [] : ["    Fix:"]),
    ...error.fix.flatMap((step) => indent(6, step)),
    ...(evidence.length === 0 ? [] : [terminal.paint("dim", "    Seen:")]),
    ...evidence.map(([name, value]) =>
      terminal.paint("dim", `      ${plain(name)}: ${plain(String(value))}`),
    ),
  ];
}

/** Each line of a text, indented, without what moves a cursor. */
export function indent(columns: number, text: string): string[] {
  const lines = text.split("\n").filter((line) => line.trim() !== "");
  return lines.map((line) => " ".repeat(columns) + plain(line));
}

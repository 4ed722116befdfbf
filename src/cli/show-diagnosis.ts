import type { DiagnosisAnswer } from "../http/contract.ts";
import { errorLines, indent } from "./show-problem.ts";
import { plain, type Style, type Terminal } from "./terminal.ts";

type CheckAnswer = DiagnosisAnswer["checks"][number];
type State = CheckAnswer["state"];

const MARKS: Record<State, { mark: string; style: Style; words: string }> = {
  fail: { mark: "✗", style: "red", words: "problem" },
  warn: { mark: "!", style: "yellow", words: "warning" },
  ok: { mark: "✓", style: "green", words: "fine" },
  skip: { mark: "–", style: "dim", words: "not reached" },
  unknown: { mark: "?", style: "dim", words: "unknown" },
};
const ORDER = ["fail", "warn", "ok", "skip", "unknown"] as const;

/** Problems first, each with what was seen and how to mend it; what is fine takes one line each. */
export function printDiagnosis(terminal: Terminal, diagnosis: DiagnosisAnswer): void {
  const { instance, checks, error } = diagnosis;
  const seconds = checks.reduce((sum, check) => sum + check.ms, 0) / 1000;
  terminal.out(`gitlab  ${plain(instance.url)}   (${seconds.toFixed(1)} s)\n`);
  terminal.out(`${countStates(terminal, checks)}\n`);
  // The first broken layer is told in full by the error; its check would only repeat it.
  const told = error === null ? undefined : checks.find((check) => check.state === "fail");
  if (error !== null) terminal.out(`${errorLines(terminal, error).join("\n")}\n`);
  for (const state of ["fail", "warn"] as const) {
    for (const check of checks.filter((check) => check.state === state && check !== told))
      printTrouble(terminal, check);
  }
  const head = summary(diagnosis);
  if (head !== "") terminal.out(`${mark(terminal, "ok")} ${head}`);
  for (const check of checks.filter((check) => check.state === "ok")) {
    terminal.out(terminal.paint("dim", `  ${check.id.padEnd(16)} ${plain(check.title)}`));
  }
  for (const state of ["unknown", "skip"] as const) {
    for (const check of checks.filter((check) => check.state === state)) {
      terminal.out(`${mark(terminal, state)} ${check.id.padEnd(16)} ${plain(check.title)}`);
    }
  }
}

function mark(terminal: Terminal, state: State): string {
  return terminal.paint(MARKS[state].style, MARKS[state].mark);
}

function countStates(terminal: Terminal, checks: readonly CheckAnswer[]): string {
  return ORDER.flatMap((state) => {
    const count = checks.filter((check) => check.state === state).length;
    const { words } = MARKS[state];
    const plural = count !== 1 && (state === "fail" || state === "warn") ? "s" : "";
    return count === 0 ? [] : [`${mark(terminal, state)} ${count} ${words}${plural}`];
  }).join("   ");
}

function printTrouble(terminal: Terminal, check: CheckAnswer): void {
  terminal.out(`${mark(terminal, check.state)} ${check.id.padEnd(16)} ${plain(check.title)}`);
  if (check.evidence !== null) terminal.out(indent(4, check.evidence).join("\n"));
  if (check.fix !== null) terminal.out(["    Fix:", ...indent(6, check.fix)].join("\n"));
  terminal.out("");
}

function summary({ instance, token }: DiagnosisAnswer): string {
  const gitlab =
    instance.version === null
      ? []
      : [`GitLab ${instance.version}${instance.edition === null ? "" : `-${instance.edition}`}`];
  const owner = token?.user == null ? "" : ` of @${token.user}`;
  const scopes = token === null || token.scopes.length === 0 ? "" : `, scopes ${token.scopes.join(", ")}`;
  const expiry = token?.expiresAt == null ? "" : `, expires ${token.expiresAt}`;
  const held = token === null ? [] : [`${token.kind} token${owner}${scopes}${expiry}`];
  return plain([...gitlab, ...held].join(" · "));
}

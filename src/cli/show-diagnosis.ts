import type { DiagnosisAnswer } from "../http/contract.ts";
import { indent } from "./show-problem.ts";
import { plain, type Style, type Terminal } from "./terminal.ts";

type CheckAnswer = DiagnosisAnswer["checks"][number];
type State = CheckAnswer["state"];

const MARKS: Record<State, { mark: string; style: Style; words: string }> = {
  fail: { mark: "✗", style: "red", words: "problem" },
  warn: { mark: "!", style: "yellow", words: "warning" },
  ok: { mark: "✓", style: "green", words: "fine" },
  skip: { mark: "–", style: "dim", words: "left out" },
  unknown: { mark: "?", style: "dim", words: "unknown" },
};
const ORDER = ["fail", "warn", "ok", "skip", "unknown"] as const;

/**
 * Problems first, each with what was seen and how to mend it. On a terminal what is fine takes one line together, so that it all fits one screen;
 * elsewhere each check has its line.
 * Verbose: each check has its line everywhere, with what was seen.
 */
export function printDiagnosis(terminal: Terminal, diagnosis: DiagnosisAnswer, verbose = false): void {
  const { instance, checks, error } = diagnosis;
  const isShort = terminal.stdout.isTTY === true && !verbose;
  const seconds = checks.reduce((sum, check) => sum + check.ms, 0) / 1000;
  terminal.out(`gitlab  ${plain(instance.url)}   (${seconds.toFixed(1)} s)\n`);
  terminal.out(`${countStates(terminal, checks)}\n`);
  // The first broken layer is told in full by the error; its check would only repeat it.
  const told = error === null ? undefined : checks.find((check) => check.state === "fail");
  if (error !== null) terminal.out(`${errorLines(terminal, error, told?.id ?? "").join("\n")}\n`);
  for (const state of ["fail", "warn"] as const) {
    for (const check of checks.filter((check) => check.state === state && check !== told))
      printTrouble(terminal, check);
  }
  const head = summary(diagnosis);
  if (head !== "") terminal.out(`${mark(terminal, "ok")} ${head}`);
  if (isShort) printShort(terminal, checks);
  else printEach(terminal, checks, verbose);
}

function printShort(terminal: Terminal, checks: readonly CheckAnswer[]): void {
  const of = (state: State): readonly CheckAnswer[] => checks.filter((check) => check.state === state);
  const fine = of("ok").map(({ id }) => id);
  if (fine.length > 0) terminal.out(terminal.paint("dim", `  fine: ${fine.join(", ")}`));
  for (const check of of("unknown"))
    terminal.out(`${mark(terminal, "unknown")} ${check.id.padEnd(16)} ${plain(check.title)}`);
  const skipped = of("skip");
  const notReached = skipped.filter(({ title }) => title.endsWith("not reached")).map(({ id }) => id);
  const notNeeded = skipped.filter(({ id }) => !notReached.includes(id)).map(({ id }) => id);
  if (notReached.length > 0) terminal.out(`${mark(terminal, "skip")} not reached: ${notReached.join(", ")}`);
  if (notNeeded.length > 0) terminal.out(`${mark(terminal, "skip")} not needed: ${notNeeded.join(", ")}`);
  terminal.out(
    terminal.paint("dim", "\nNot looked at: whether your app builds, whether people can reach it."),
  );
  terminal.out(terminal.paint("dim", "All of it: -v, or --json. To show to others, without names: --share."));
}

function printEach(terminal: Terminal, checks: readonly CheckAnswer[], verbose: boolean): void {
  const seen = ({ evidence }: CheckAnswer): string => (verbose && evidence !== null ? `: ${evidence}` : "");
  for (const check of checks.filter((check) => check.state === "ok")) {
    terminal.out(`  ${check.id.padEnd(16)} ${plain(`${check.title}${seen(check)}`)}`);
  }
  for (const state of ["unknown", "skip"] as const) {
    for (const check of checks.filter((check) => check.state === state)) {
      terminal.out(
        `${mark(terminal, state)} ${check.id.padEnd(16)} ${plain(`${check.title}${seen(check)}`)}`,
      );
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

type Evidence = NonNullable<DiagnosisAnswer["error"]>["evidence"];

/** What was seen, in one line: what GitLab said first. */
function seenOf(evidence: Evidence): readonly string[] {
  const { words, status, method, pathTemplate, from, to, networkError, requestId } = evidence;
  const request = [method, pathTemplate].filter((part) => part !== undefined).join(" ");
  const shown = [
    words === undefined ? "" : `GitLab says “${words}”`,
    status === undefined ? "" : `status ${status}`,
    request,
    ...["host", "issuer", "project", "role"].map((name) =>
      evidence[name] === undefined ? "" : `${name} ${evidence[name]}`,
    ),
    from === undefined ? "" : `${from} → ${to ?? "?"}`,
    networkError === undefined ? "" : String(networkError),
    requestId === undefined ? "" : `request id ${requestId}`,
  ];
  return shown.filter((part) => part !== "").map(plain);
}

function errorLines(terminal: Terminal, error: NonNullable<DiagnosisAnswer["error"]>, id: string): string[] {
  const code = error.reason === "" ? error.code : `${error.code} (${error.reason})`;
  const seen = seenOf(error.evidence);
  return [
    `${mark(terminal, "fail")} ${terminal.paint("bold", plain(error.title))}  ${terminal.paint("dim", `${code}, ${id}`)}`,
    ...indent(4, error.cause),
    ...(error.fix.length === 0 ? [] : ["    Fix:"]),
    ...error.fix.flatMap((step) => indent(6, step)),
    ...(seen.length === 0 ? [] : [terminal.paint("dim", `    Seen: ${seen.join(" · ")}`)]),
  ];
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

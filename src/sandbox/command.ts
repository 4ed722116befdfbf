import { readFile } from "node:fs/promises";
import { toError } from "../kernel/clock.ts";
import { nested } from "./control/knob-rows.ts";
import { playLater, playStart } from "./control/play.ts";
import { present } from "./control/present.ts";
import { parseScenario, type Scenario } from "./control/scenario.ts";
import { changeKnobs, InvalidInput } from "./control/set-knobs.ts";
import { createSandbox, type Sandbox, type SandboxOptions } from "./sandbox.ts";
import { factsOf, startText } from "./start-text.ts";

export interface SandboxCommandOptions {
  readonly version?: string | undefined;
  readonly port?: number | undefined;
  readonly host?: string | undefined;
  readonly relativeUrl?: string | undefined;
  readonly tls?: boolean | undefined;
  readonly ssh?: boolean | undefined;
  /** A file, see docs/sandbox.md. The options here win over it. */
  readonly scenario?: string | undefined;
  readonly dataDir?: string | undefined;
  /** So many empty projects more, for lists. */
  readonly projects?: number | undefined;
  /** `faults.latencyMs=200`: a knob and its value, JSON or text. */
  readonly set?: readonly string[] | undefined;
  readonly searchPath?: string | undefined;
  /** One JSON object instead of lines for people. */
  readonly json?: boolean | undefined;
}

const EXAMPLE: Readonly<Record<string, string>> = {
  "index.html":
    '<!DOCTYPE html>\n<html lang="en">\n<title>Hello</title>\n<h1>Hello from the sandbox</h1>\n</html>\n',
  "README.md": "# hello\n\nAn example project: one static page.\n",
};

/** `fairlead sandbox`: runs a GitLab in a box until the signal aborts. Throws a `RangeError` for options that make no sense. */
export async function runSandbox(
  options: SandboxCommandOptions,
  print: (line: string) => void,
  signal: AbortSignal,
): Promise<void> {
  const scenario = await readScenario(options.scenario);
  await using stack = new AsyncDisposableStack();
  const sandbox = stack.use(await createSandbox(optionsOf(options, scenario)));
  setKnobs(sandbox, scenario, options.set ?? []);
  const steps = scenario?.steps ?? [];
  const act = (action: string, params: unknown): Promise<object> => sandbox.act(action, params);
  const results = await playStart(steps, act);
  const example = steps.length === 0 ? await makeExample(sandbox) : null;
  await makeProjects(sandbox, options.projects ?? scenario?.projects ?? 0);
  const facts = factsOf(sandbox, example, results);
  if (options.json === true) print(JSON.stringify(facts));
  else for (const line of startText(facts, options.host ?? "")) print(line);
  const told = (line: string): void =>
    print(options.json === true ? JSON.stringify({ problem: line }) : `! ${line}`);
  playLater(steps, act, told, stack);
  await ended(signal);
}

function optionsOf(options: SandboxCommandOptions, scenario: Scenario | null): SandboxOptions {
  const { version, port, host, relativeUrl, tls, ssh, dataDir, searchPath } = {
    ...scenario,
    ...present(options),
  };
  return present({ version, port, host, relativeUrl, tls, ssh, dataDir, searchPath });
}

async function readScenario(file: string | undefined): Promise<Scenario | null> {
  if (file === undefined) return null;
  const text = await readFile(file, "utf8").catch((error: unknown) => {
    throw new RangeError(`the scenario cannot be read: ${toError(error).message}`, { cause: error });
  });
  try {
    return parseScenario(text);
  } catch (error) {
    if (error instanceof InvalidInput) {
      throw new RangeError(`in the scenario ${file}:\n- ${error.problems.join("\n- ")}`, { cause: error });
    }
    throw error;
  }
}

/** `assignments`: `faults.front.answer=reset`. */
function setKnobs(sandbox: Sandbox, scenario: Scenario | null, assignments: readonly string[]): void {
  const { faults = {}, settings = {} } = scenario ?? {};
  changeKnobs(sandbox, { faults, settings });
  const problems = assignments.flatMap((assignment) => problemsOfSetting(sandbox, assignment));
  if (problems.length > 0) throw new InvalidInput(problems);
  sandbox.keepAsStart();
}

function problemsOfSetting(sandbox: Sandbox, assignment: string): readonly string[] {
  const mark = assignment.indexOf("=");
  if (mark < 1) return [`--set ${assignment} is not NAME=VALUE`];
  try {
    changeKnobs(sandbox, nested(assignment.slice(0, mark), valueOf(assignment.slice(mark + 1))));
    return [];
  } catch (error) {
    if (error instanceof InvalidInput) return error.problems;
    throw error;
  }
}

function valueOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

async function makeExample(sandbox: Sandbox): Promise<{ readonly token: string; readonly project: string }> {
  const { state } = sandbox;
  const user = state.createUser({ username: "demo", name: "Demo User" });
  const token = state.createToken({ user, name: "sandbox", scopes: ["api"] });
  const project = await state.createProject({ path: "demo/hello", owner: user, files: EXAMPLE });
  return { token: token.value, project: project.fullPath };
}

async function makeProjects({ state }: Sandbox, count: number): Promise<void> {
  for (let n = 1; n <= count; n++) await state.createProject({ path: `many/project-${n}` });
}

async function ended(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return;
  await new Promise<void>((resolve) => {
    const stay = setInterval(() => {}, 2 ** 30); // an abort signal alone does not keep a process alive
    signal.addEventListener(
      "abort",
      () => {
        clearInterval(stay);
        resolve();
      },
      { once: true },
    );
  });
}

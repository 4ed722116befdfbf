import { z } from "zod";
import { parseVersion } from "../versions.ts";
import { getAction } from "./actions.ts";
import { checkKnobs, InvalidInput, problemsOf } from "./set-knobs.ts";

const step = z.looseObject({
  action: z.string(),
  /** Milliseconds after the start; without it the step is done before the sandbox is ready. */
  afterMs: z.int().min(0).max(86_400_000).optional(),
});

const SCENARIO = z.strictObject({
  version: z.string().optional(),
  relativeUrl: z.string().optional(),
  tls: z.boolean().optional(),
  ssh: z.boolean().optional(),
  projects: z.int().min(0).max(100_000).optional(),
  faults: z.record(z.string(), z.unknown()).optional(),
  settings: z.record(z.string(), z.unknown()).optional(),
  steps: z.array(step).max(10_000).optional(),
});

/** A sandbox as a file: what it is, its knobs, and what is done to it at the start and later. */
export interface Scenario extends Omit<z.infer<typeof SCENARIO>, "steps"> {
  readonly steps: readonly Step[];
}

export interface Step {
  readonly action: string;
  readonly params: object;
  readonly afterMs: number | null;
}

/** Reads the text of a scenario file. Throws `InvalidInput` with every problem at once. */
export function parseScenario(text: string): Scenario {
  const result = SCENARIO.safeParse(parseJson(text));
  if (!result.success) throw new InvalidInput(problemsOf(result.error, "", "part of a scenario"));
  const { version, faults = {}, settings = {}, steps: given = [] } = result.data;
  const steps = given.map(({ action, afterMs = null, ...params }) => ({ action, params, afterMs }));
  const problems = [
    ...(version === undefined ? [] : problemsIn(() => parseVersion(version))),
    ...problemsIn(() => checkKnobs({ faults, settings })),
    ...steps.flatMap(problemsOfStep),
  ];
  if (problems.length > 0) throw new InvalidInput(problems);
  return { ...result.data, steps };
}

function problemsOfStep({ action, params }: Step, index: number): readonly string[] {
  const place = `steps.${index}`;
  try {
    return getAction(action).problems(params, place);
  } catch (error) {
    if (error instanceof InvalidInput) return error.problems.map((problem) => `${place}.${problem}`);
    throw error;
  }
}

function problemsIn(work: () => unknown): readonly string[] {
  try {
    work();
    return [];
  } catch (error) {
    if (error instanceof InvalidInput) return error.problems;
    if (error instanceof RangeError) return [`version: ${error.message}`];
    throw error;
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new InvalidInput([`no JSON: ${error instanceof Error ? error.message : String(error)}`]);
  }
}

import { InvalidArgumentError, type Command } from "commander";
import type { Config, ConfigOverrides } from "../config.ts";
import type { Client } from "./client.ts";
import type { Terminal } from "./terminal.ts";

/** What every command works with. */
export interface Context {
  readonly terminal: Terminal;
  /** Aborts on Ctrl-C. */
  readonly signal: AbortSignal;
  readonly config: (overrides?: ConfigOverrides) => Config;
  readonly client: () => Promise<Client>;
  /** What the program exits with when the command returns; without it 0. */
  readonly exitWith: (code: number) => void;
}

/** Adds `--json` and the examples that stand at the end of a command's help. */
export function withExamples(command: Command, ...examples: readonly string[]): Command {
  return command
    .option("--json", "one JSON object, or one per line, instead of text")
    .addHelpText("after", `\nExamples:\n${examples.map((example) => `  $ fairlead ${example}`).join("\n")}`);
}

/** The value of `--limit`, `--tail`, `--before`: wrong usage is told before a server is asked. */
export function toCount(text: string): number {
  if (!/^\d{1,9}$/.test(text)) throw new InvalidArgumentError("It is a number.");
  return Number(text);
}

export function printJson(context: Context, value: unknown): void {
  context.terminal.out(JSON.stringify(value));
}

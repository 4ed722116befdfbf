import { InvalidArgumentError, type Command } from "commander";
import { withExamples, type Context } from "./context.ts";
import { UsageError } from "./failure.ts";

/** What a person wants of a sandbox; what is undefined is decided by the scenario, or by default. */
export interface SandboxWishes {
  readonly version?: string | undefined;
  readonly port?: number | undefined;
  readonly host?: string | undefined;
  readonly relativeUrl?: string | undefined;
  readonly tls?: boolean | undefined;
  readonly ssh?: boolean | undefined;
  readonly scenario?: string | undefined;
  readonly dataDir?: string | undefined;
  readonly projects?: number | undefined;
  readonly set?: readonly string[] | undefined;
  readonly json: boolean;
}

interface Parts {
  sandbox(options: SandboxWishes): Promise<number>;
  sandboxHelp(): string;
}

interface Options {
  readonly version?: string;
  readonly port?: number;
  readonly host?: string;
  readonly relativeUrl?: string;
  readonly tls?: boolean;
  readonly ssh?: boolean;
  readonly scenario?: string;
  readonly data?: string;
  readonly projects?: number;
  readonly set?: readonly string[];
  readonly json?: boolean;
}

const EXAMPLES = [
  "sandbox",
  "sandbox --version 15.3.0 --port 8929",
  "sandbox --relative-url /gitlab --tls --ssh",
  "sandbox --set faults.front.answer=rate_limited_rack_attack --set faults.front.times=3",
  "sandbox --scenario half-way.json --json",
];

export function addSandbox(program: Command, context: Context, local: Parts): void {
  withExamples(program.command("sandbox"), ...EXAMPLES)
    .description("run a GitLab in a box, for tests and for trying Fairlead without a GitLab")
    .option("--version <version>", "the GitLab version it behaves like, 10.5 and later (default: 18.9.0)")
    .option("--port <port>", "its port (default: any free one)", toPort)
    .option(
      "--host <address>",
      "where it listens (default: 127.0.0.1); elsewhere the control asks for a token",
    )
    .option("--relative-url <path>", "serve below a path, as /gitlab")
    .option("--tls", "HTTPS with a private CA, made at the start")
    .option("--ssh", "git over SSH, too, through sshd")
    .option(
      "--scenario <file>",
      "what it holds, its knobs and what happens when, as JSON; see docs/sandbox.md",
    )
    .option("--data <folder>", "where its repositories are kept while it runs; the folder must be new")
    .option("--projects <count>", "so many empty projects more", toProjects)
    .option("--set <name=value>", "a knob; may be repeated", collect)
    .addHelpText(
      "after",
      () => `\nKnobs for --set, for scenarios and for /-/sandbox:\n${local.sandboxHelp()}`,
    )
    .action(async ({ data, json, ...options }: Options) => {
      try {
        context.exitWith(await local.sandbox({ ...options, dataDir: data, json: json === true }));
      } catch (error) {
        throw error instanceof RangeError ? new UsageError(`Not possible: ${error.message}.`) : error;
      }
    });
}

function toPort(text: string): number {
  const port = Number(text);
  if (!/^\d+$/.test(text) || port > 65_535) throw new InvalidArgumentError("It is a number from 0 to 65535.");
  return port;
}

function toProjects(text: string): number {
  const count = Number(text);
  if (!/^\d+$/.test(text) || count > 100_000)
    throw new InvalidArgumentError("It is a number from 0 to 100000.");
  return count;
}

function collect(value: string, before: readonly string[] = []): readonly string[] {
  return [...before, value];
}

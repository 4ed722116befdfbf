import { Command, CommanderError } from "commander";
import type { Config, ConfigOverrides } from "../config.ts";
import { Fault } from "../faults/fault.ts";
import { addAppCommands } from "./app-commands.ts";
import { addBrowseCommands } from "./browse-commands.ts";
import { createClient } from "./client.ts";
import { addConnectionCommands } from "./connection-commands.ts";
import type { Context } from "./context.ts";
import { addDeliveryCommands } from "./delivery-commands.ts";
import { addDeploymentCommands } from "./deployment-commands.ts";
import { EXIT, Interrupted, UsageError } from "./failure.ts";
import { addDoctorCommands, type CheckConnection } from "./doctor-commands.ts";
import { addLifeCommands } from "./life-commands.ts";
import { addLinkCommands } from "./link-commands.ts";
import { addLocalCommands, type LocalCommands } from "./local-commands.ts";
import { addLogCommands } from "./log-commands.ts";
import { errorFacts, errorLines, isUnreachable } from "./show-problem.ts";
import { createTerminal, type Terminal } from "./terminal.ts";
import { refuseTokenArguments } from "./token.ts";

export interface CliParts extends Pick<Terminal, "stdin" | "stdout" | "stderr"> {
  /** The words after `fairlead`. */
  readonly argv: readonly string[];
  readonly version: string;
  /** Reads the configuration: called only by commands that need it, so that help works with a broken one. */
  readonly config: (overrides?: ConfigOverrides) => Config;
  readonly checkConnection: CheckConnection;
  readonly local: LocalCommands;
  /** Aborts when the person pressed Ctrl-C; commands then clean up and return. */
  readonly signal: AbortSignal;
}

/** Runs one command to its end. Returns the exit code; never throws. */
export async function runCli(parts: CliParts): Promise<number> {
  const terminal = createTerminal(parts, () => hasNoColor(parts));
  const signal = untilOutputCloses(parts);
  let code: number = EXIT.done;
  const context: Context = {
    terminal,
    signal,
    config: parts.config,
    client: async () => createClient(parts.config(), signal),
    exitWith: (given) => {
      code = given;
    },
  };
  try {
    refuseTokenArguments(parts.argv);
    await createProgram(parts, context).parseAsync(parts.argv, { from: "user" });
    return code;
  } catch (error) {
    return explain(error, parts, context);
  }
}

function createProgram(parts: CliParts, context: Context): Command {
  const { terminal } = context;
  const program = new Command("fairlead")
    .description("Push to your own GitLab, and it is live on your own servers.")
    .version(parts.version)
    .enablePositionalOptions() // `sandbox --version 15.3.0` is the sandbox's
    .exitOverride()
    .configureOutput({
      writeOut: (text) => terminal.stdout.write(text),
      writeErr: (text) => terminal.stderr.write(text),
    })
    .showHelpAfterError("(--help shows what there is)");
  program.commandsGroup("On this machine:");
  addLocalCommands(program, context, parts.local);
  program.commandsGroup("GitLab:");
  addDoctorCommands(program, context, parts.checkConnection);
  addConnectionCommands(program, context);
  addLifeCommands(program, context);
  addBrowseCommands(program, context);
  program.commandsGroup("Apps:");
  addLinkCommands(program, context);
  addAppCommands(program, context);
  program.commandsGroup("Deployments:");
  addDeploymentCommands(program, context);
  addLogCommands(program, context);
  program.commandsGroup("Webhook calls:");
  addDeliveryCommands(program, context);
  return program;
}

function explain(error: unknown, { argv }: CliParts, { terminal, signal }: Context): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.done : EXIT.usage; // commander has printed it
  if (error instanceof Interrupted || signal.aborted) {
    if (error instanceof Interrupted) terminal.err(error.message);
    return EXIT.interrupted;
  }
  if (error instanceof UsageError) {
    terminal.err(error.message);
    return EXIT.usage;
  }
  const facts = errorFacts(error);
  if (argv.includes("--json")) terminal.out(JSON.stringify({ schema: 1, ok: false, error: facts }));
  else terminal.err(errorLines(terminal, facts).join("\n"));
  if (isUnreachable(error)) return EXIT.noServer;
  return error instanceof Fault && error.is("CONFIG_INVALID") ? EXIT.usage : EXIT.failed;
}

/** `fairlead logs -f | head` ends when nobody reads any more, without a word. */
function untilOutputCloses({ stdout, signal }: CliParts): AbortSignal {
  const closed = new AbortController();
  stdout.on("error", (error) => closed.abort(error));
  return AbortSignal.any([signal, closed.signal]);
}

/** Colours must not fail on a configuration that cannot be read: its own error is told by the command. */
function hasNoColor({ config }: CliParts): boolean {
  try {
    return config().noColor;
  } catch {
    return true;
  }
}

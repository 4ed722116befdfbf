import { runCli } from "../cli/run-cli.ts";
import { readConfig } from "../config.ts";
import { renderKnobHelp } from "../sandbox/control/knob-help.ts";
import { keepCompiledCode } from "./compiled-code.ts";
import { readVersion } from "./program.ts";

/** `fairlead …`: returns the exit code. What a command needs beyond the command line itself is loaded when it is called. */
export async function runCommandLine(argv: readonly string[]): Promise<number> {
  process.umask(0o077); // what Fairlead writes is nobody else's, also in the moment before its mode is set
  const stopping = new AbortController();
  let interrupts = 0;
  const stop = (signal: NodeJS.Signals): void => {
    // A second Ctrl-C does not wait. Different signals may come together, as when a terminal is closed: the first decides.
    if (signal === "SIGINT" && ++interrupts > 1) process.exit(130);
    stopping.abort(signal);
  };
  process.on("SIGINT", stop);
  process.on("SIGTERM", stop);
  process.on("SIGHUP", stop);
  const { stdin, stdout, stderr } = process;
  const { signal } = stopping;
  return runCli({
    argv,
    stdin,
    stdout,
    stderr,
    signal,
    version: readVersion(),
    config: (overrides) => readConfig(undefined, overrides),
    checkConnection: async (request) => (await import("../doctor/check.ts")).checkConnection(request),
    local: {
      serve: async (config, options) => {
        keepCompiledCode(config.dataDir);
        return (await import("./serve-command.ts")).serve(config, options, stdout, signal);
      },
      demo: async (options) => (await import("./demo-command.ts")).demo(options, stdout, signal),
      sandbox: async (options) => (await import("./sandbox-command.ts")).sandbox(options, stdout, signal),
      sandboxHelp: renderKnobHelp,
      backup: async (config, options) => (await import("./keeping.ts")).backup(config, options, signal),
      restore: async (config, options) => (await import("./keeping.ts")).restore(config, options, signal),
      rekey: async (config) => (await import("./keeping.ts")).rekeyAll(config, signal),
    },
  });
}

import type { Command } from "commander";
import { renderConfigHelp, type Config, type ConfigOverrides } from "../config.ts";
import { printJson, withExamples, type Context } from "./context.ts";
import { addSandbox, type SandboxWishes } from "./sandbox-command.ts";

/** Handed in by `main.ts`: what runs in this process. Long ones handle signals themselves and return the exit code. */
export interface LocalCommands {
  serve(config: Config, options: { readonly json: boolean }): Promise<number>;
  demo(options: { readonly once: boolean; readonly json: boolean }): Promise<number>;
  /** Throws a `RangeError` for what cannot be, as a version that GitLab never had. */
  sandbox(options: SandboxWishes): Promise<number>;
  /** The knobs that `--set` takes. */
  sandboxHelp(): string;
  backup(config: Config, options: { readonly file: string; readonly withKey: boolean }): Promise<LocalResult>;
  restore(config: Config, options: { readonly file: string }): Promise<LocalResult>;
  rekey(config: Config): Promise<LocalResult>;
}

export interface LocalResult {
  /** One sentence for people. */
  readonly summary: string;
  /** For `--json`. */
  readonly facts: Readonly<Record<string, string | number | boolean>>;
}

interface ServeOptions {
  readonly host?: string;
  readonly port?: string;
  readonly dataDir?: string;
  readonly allowUnisolated?: boolean;
  readonly json?: boolean;
}

export function addLocalCommands(program: Command, context: Context, local: LocalCommands): void {
  withExamples(program.command("demo"), "demo", "demo --once")
    .description("the whole loop with no GitLab at hand: sandbox, connect, push, live URL, rollback")
    .option("--once", "stop at the end and leave nothing running")
    .action(async ({ once, json }: { once?: boolean; json?: boolean }) =>
      context.exitWith(await local.demo({ once: once === true, json: json === true })),
    );

  program
    .command("serve")
    .description("run the server, its worker, the edge and the embedded PostgreSQL")
    .option("--host <address>", "address of the API and the webhook receiver")
    .option("--port <port>", "their port")
    .option("--data-dir <folder>", "where everything is kept")
    .option("--allow-unisolated", "build and run apps even where they cannot be isolated")
    .option("--json", "one JSON object when it is ready, instead of text")
    .addHelpText(
      "after",
      () =>
        `\nEnvironment:\n${renderConfigHelp()}\n\nExamples:\n  $ fairlead serve\n  $ FAIRLEAD_PUBLIC_URL=https://deploy.acme.lan fairlead serve`,
    )
    .action(async (options: ServeOptions) => {
      const config = context.config(serveOverrides(options));
      for (const warning of config.warnings) context.terminal.err(`! ${warning}`);
      context.exitWith(await local.serve(config, { json: options.json === true }));
    });

  addSandbox(program, context, local);
  addKeeping(program, context, local);
}

function addKeeping(program: Command, context: Context, local: LocalCommands): void {
  const report = (result: LocalResult, json: boolean | undefined): void => {
    if (json) printJson(context, { ok: true, ...result.facts });
    else context.terminal.out(`${context.terminal.paint("green", "✓")} ${result.summary}`);
  };
  withExamples(program.command("backup").argument("<file>"), "backup fairlead.backup")
    .description("write everything that is in the database to a file; the key is not in it")
    .option("--with-key", "put the key in as well: whoever has the file then has the tokens")
    .action(async (file: string, { withKey, json }: { withKey?: boolean; json?: boolean }) =>
      report(await local.backup(context.config(), { file, withKey: withKey === true }), json),
    );
  withExamples(program.command("restore").argument("<file>"), "restore fairlead.backup")
    .description("fill an empty database from a backup; also from the embedded one to DATABASE_URL")
    .action(async (file: string, { json }: { json?: boolean }) =>
      report(await local.restore(context.config(), { file }), json),
    );
  withExamples(program.command("rekey"), "rekey")
    .description("encrypt everything anew with a new key")
    .action(async ({ json }: { json?: boolean }) => report(await local.rekey(context.config()), json));
}

function serveOverrides({ host, port, dataDir, allowUnisolated }: ServeOptions): ConfigOverrides {
  return {
    ...(host !== undefined && { FAIRLEAD_HOST: host }),
    ...(port !== undefined && { FAIRLEAD_PORT: port }),
    ...(dataDir !== undefined && { FAIRLEAD_DATA_DIR: dataDir }),
    ...(allowUnisolated === true && { FAIRLEAD_ALLOW_UNISOLATED: "1" }),
  };
}

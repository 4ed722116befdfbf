import { InvalidArgumentError, type Command } from "commander";
import { api, type ConnectionAnswer } from "../http/contract.ts";
import { isConfirmed } from "./confirm.ts";
import { printJson, withExamples, type Context } from "./context.ts";
import { EXIT, UsageError } from "./failure.ts";
import { plain } from "./terminal.ts";
import { readToken } from "./token.ts";

interface ReconnectOptions {
  readonly json?: boolean;
  readonly tokenFile?: string;
  readonly yes?: boolean;
}

interface RotateOptions {
  readonly json?: boolean;
  readonly days: number;
  readonly auto?: number | "off";
}

/** What is done to a connection after it was made. */
export function addLifeCommands(program: Command, context: Context): void {
  withExamples(
    program
      .command("reconnect")
      .argument("<connection>", "name or id")
      .option("--token-file <file>", "file with the new token, - for standard input")
      .option("--yes", "also when the user changes or projects get out of reach"),
    "reconnect work",
    "reconnect work --token-file token.txt --yes",
  )
    .description("give a connection a new token; apps, webhooks and keys stay as they are")
    .action(async (connection: string, options: ReconnectOptions) => reconnect(context, connection, options));

  withExamples(
    program
      .command("rotate")
      .argument("<connection>", "name or id")
      .option("--days <days>", "how long the successor lives", toDays(2, 400), 90)
      .option("--auto <days>", "do it by itself so many days before the end, or `off`", toPolicy),
    "rotate work",
    "rotate work --auto 14 --days 90",
    "rotate work --auto off",
  )
    .description(
      "replace a connection's token by a successor (GitLab 16.0 and later); the one before is dead then",
    )
    .action(async (connection: string, options: RotateOptions) => rotate(context, connection, options));
}

async function reconnect(context: Context, connection: string, options: ReconnectOptions): Promise<void> {
  const { terminal } = context;
  const sources = {
    tokenFile: options.tokenFile,
    fromEnvironment: context.config().gitlabToken,
    question: `New access token for ${plain(connection)} (scope api)`,
  };
  const client = await context.client();
  const token = (await readToken(terminal, sources, context.signal)).reveal();
  const call = (accept: boolean) =>
    client.call(api.reconnect, { params: { connection }, body: { token, accept } });
  let answer = await call(options.yes === true);
  if (!answer.applied && !options.json) {
    terminal.err(`With this token of ${plain(connection)}:`);
    for (const change of answer.changes) terminal.err(`  ${terminal.paint("yellow", "!")} ${plain(change)}`);
    if (await isConfirmed(context, "Use it all the same?")) answer = await call(true);
  }
  if (options.json) printJson(context, answer);
  else if (answer.applied) {
    terminal.out(`${terminal.paint("green", "✓")} ${plain(answer.connection.name)} has its new token`);
    for (const change of answer.changes) terminal.out(`  ${plain(change)}`);
  } else terminal.err("Nothing was changed. With --yes it is done all the same.");
  if (!answer.applied) context.exitWith(EXIT.failed);
}

async function rotate(context: Context, connection: string, options: RotateOptions): Promise<void> {
  const client = await context.client();
  const params = { connection };
  const { auto, days } = options;
  const policy = auto === "off" || auto === undefined ? null : { beforeDays: auto, forDays: days };
  if (policy && policy.beforeDays >= days)
    throw new UsageError("--auto has fewer days than the successor lives (--days).");
  const answer =
    auto === undefined
      ? await client.call(api.rotate, { params, body: { days } })
      : await client.call(api.setRotation, { params, body: { policy } });
  if (options.json) printJson(context, answer);
  else context.terminal.out(`${context.terminal.paint("green", "✓")} ${describe(answer, auto)}`);
}

function describe(connection: ConnectionAnswer, auto: RotateOptions["auto"]): string {
  const name = plain(connection.name);
  if (auto === undefined)
    return `The token of ${name} was replaced; the new one lives until ${connection.tokenExpiresAt ?? "it is revoked"}`;
  if (connection.rotateBeforeDays === null) return `The token of ${name} is replaced only on request`;
  return `The token of ${name} is replaced ${connection.rotateBeforeDays} days before its end, each time for ${connection.rotateForDays} days`;
}

function toDays(least: number, most: number): (text: string) => number {
  return (text) => {
    const days = /^\d{1,3}$/.test(text) ? Number(text) : 0;
    if (days < least || days > most)
      throw new InvalidArgumentError(`It is a number of days from ${least} to ${most}.`);
    return days;
  };
}

function toPolicy(text: string): number | "off" {
  return text === "off" ? "off" : toDays(1, 90)(text);
}

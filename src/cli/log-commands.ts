import type { Command } from "commander";
import { api } from "../http/contract.ts";
import { sleep } from "../kernel/clock.ts";
import type { Client, StreamLine } from "./client.ts";
import { printJson, toCount, withExamples, type Context } from "./context.ts";
import { UsageError } from "./failure.ts";
import { isUnreachable } from "./show-problem.ts";
import { onlyColours } from "./terminal.ts";

interface LogOptions {
  readonly json?: boolean;
  readonly follow?: boolean;
  readonly deployment?: string;
  readonly tail: number;
}

const RETRY_MS = 500;
const ABSENCE_MS = 30_000;

export function addLogCommands(program: Command, context: Context): void {
  withExamples(
    program.command("logs").argument("[app]", "name or id"),
    "logs shop -f",
    "logs --deployment dep_06b8k2m1x3c7r9qtz4hn -f",
  )
    .description("show what an app prints, or the log of a deployment")
    .option("-f, --follow", "go on as lines come")
    .option("--deployment <id>", "the log of this deployment instead")
    .option("--tail <lines>", "of an app's output: how many lines of before", toCount, 200)
    .action(async (app: string | undefined, options: LogOptions) => {
      if ((app === undefined) === (options.deployment === undefined))
        throw new UsageError("Name an app, or a deployment with --deployment.");
      const client = await context.client();
      const lines =
        options.deployment === undefined
          ? outputOf(client, app ?? "", options)
          : buildLog(context, client, options.deployment, options);
      try {
        for await (const line of lines) {
          if (options.json) printJson(context, line);
          else context.terminal.out(context.terminal.stdout.isTTY ? onlyColours(line.text) : line.text);
        }
      } catch (error) {
        if (!context.signal.aborted) throw error; // Ctrl-C is how one stops following
      }
    });
}

function outputOf(client: Client, app: string, { follow, tail }: LogOptions): AsyncGenerator<StreamLine> {
  return client.stream(api.runLogs, { params: { app }, query: { follow: follow === true, tail } });
}

/** Goes on after the last line seen when the server was away for a moment: lines of a deployment are numbered and kept. */
async function* buildLog(
  context: Context,
  client: Client,
  deployment: string,
  { follow }: LogOptions,
): AsyncGenerator<StreamLine> {
  let after = -1;
  let lastSeen = Date.now();
  for (;;) {
    try {
      const input = {
        params: { deployment },
        query: { follow: follow === true },
        ...(after >= 0 && { after }),
      };
      for await (const line of client.stream(api.deploymentLogs, input)) {
        [after, lastSeen] = [line.seq, Date.now()];
        yield line;
      }
      return;
    } catch (error) {
      if (!isUnreachable(error) || !follow || Date.now() - lastSeen > ABSENCE_MS) throw error;
      await sleep(RETRY_MS, context.signal);
    }
  }
}

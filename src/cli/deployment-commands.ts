import type { Command } from "commander";
import { api, type DeploymentAnswer } from "../http/contract.ts";
import type { Client } from "./client.ts";
import { printJson, toCount, withExamples, type Context } from "./context.ts";
import { EXIT } from "./failure.ts";
import { deploymentRow, DEPLOYMENT_HEADS, deploymentTitle } from "./show-deployment.ts";
import { printTable } from "./table.ts";
import { printTrouble } from "./show-trouble.ts";
import { plain } from "./terminal.ts";
import { printOutcome, waitForDeployment } from "./wait.ts";

interface StartOptions {
  readonly json?: boolean;
  /** False with `--no-wait`. */
  readonly wait: boolean;
  readonly environment?: string;
  readonly ref?: string;
  readonly to?: string;
}

type Start = (client: Client, app: string, options: StartOptions) => Promise<DeploymentAnswer>;

export function addDeploymentCommands(program: Command, context: Context): void {
  addStart(
    context,
    program.command("deploy"),
    "deploy the head of the app's branch, or a ref, and wait until it is live",
    {
      examples: ["deploy shop", "deploy shop --ref v1.2.0", "deploy shop --no-wait --json"],
      options: [["--ref <ref>", "branch, tag or commit (default: the environment's branch)"]],
      start: (client, app, { ref, environment }) =>
        client.call(api.deploy, {
          params: { app },
          body: { ...(ref !== undefined && { ref }), ...inEnvironment(environment) },
        }),
    },
  );
  addStart(context, program.command("redeploy"), "build the newest deployment's commit again", {
    examples: ["redeploy shop"],
    options: [],
    start: (client, app, { environment }) =>
      client.call(api.redeploy, { params: { app }, body: inEnvironment(environment) }),
  });
  addStart(context, program.command("rollback"), "start a kept release again, without building", {
    examples: ["rollback shop", "rollback shop --to rel_06b8k2m1x3c7r9qtz4hn"],
    options: [["--to <release>", "which release (default: the one before the live one)"]],
    start: (client, app, { to, environment }) =>
      client.call(api.rollback, {
        params: { app },
        body: { ...(to !== undefined && { to }), ...inEnvironment(environment) },
      }),
  });
  addList(context, program.command("deployments"));
  addCancel(context, program.command("cancel"));
}

function inEnvironment(environment: string | undefined): { environment?: string } {
  return environment === undefined ? {} : { environment };
}

function addStart(
  context: Context,
  command: Command,
  description: string,
  parts: { readonly examples: string[]; readonly options: [string, string][]; readonly start: Start },
): void {
  withExamples(command.argument("<app>", "name or id"), ...parts.examples).description(description);
  for (const [flags, meaning] of parts.options) command.option(flags, meaning);
  command
    .option("--environment <name>", "which environment (default: production)")
    .option("--no-wait", "return as soon as it is queued")
    .action(async (app: string, options: StartOptions) => {
      const client = await context.client();
      const begun = await parts.start(client, app, options);
      if (!options.wait) {
        if (options.json) printJson(context, begun);
        else context.terminal.out(`${deploymentTitle(context.terminal, begun)}  queued as ${begun.id}`);
        return;
      }
      const ended = await waitForDeployment(context, client, begun);
      if (options.json) printJson(context, ended);
      const live = options.json ? ended.state === "live" : await printOutcome(context, client, ended);
      if (!live) context.exitWith(EXIT.failed);
    });
}

function addList(context: Context, command: Command): void {
  withExamples(
    command.argument("<app>", "name or id"),
    "deployments shop",
    "deployments shop --limit 200 --json",
  )
    .description("list deployments of an app, newest first")
    .option("--limit <count>", "how many", toCount, 20)
    .option("--before <number>", "only those before this number", toCount)
    .action(async (app: string, { json, ...query }: { json?: boolean; limit: number; before?: number }) => {
      const client = await context.client();
      const { deployments } = await client.call(api.listDeployments, { params: { app }, query });
      if (json) return deployments.forEach((deployment) => printJson(context, deployment));
      await printTrouble(context, client);
      if (deployments.length === 0)
        return context.terminal.out(`No deployments yet. Push, or: fairlead deploy ${plain(app)}`);
      printTable(context.terminal, DEPLOYMENT_HEADS, deployments.map(deploymentRow));
    });
}

function addCancel(context: Context, command: Command): void {
  withExamples(command.argument("<deployment>", "its id"), "cancel dep_06b8k2m1x3c7r9qtz4hn")
    .description("stop a deployment at whatever step it is; what is live stays live")
    .action(async (deployment: string, { json }: { json?: boolean }) => {
      const answer = await (await context.client()).call(api.cancel, { params: { deployment } });
      if (json) printJson(context, answer);
      else
        context.terminal.out(
          `${deploymentTitle(context.terminal, answer)}  ${answer.state === "cancelled" ? "cancelled" : "is being cancelled"}`,
        );
    });
}

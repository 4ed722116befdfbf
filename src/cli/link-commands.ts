import type { Command } from "commander";
import { api } from "../http/contract.ts";
import { printLeft } from "./connection-commands.ts";
import { printJson, withExamples, type Context } from "./context.ts";
import { EXIT } from "./failure.ts";
import { printApp } from "./show-app.ts";
import { plain } from "./terminal.ts";

interface Json {
  readonly json?: boolean;
}
interface LinkOptions extends Json {
  readonly branch?: string;
  readonly name?: string;
  readonly healthPath?: string;
}

export function addLinkCommands(program: Command, context: Context): void {
  const { terminal } = context;

  withExamples(
    program
      .command("link")
      .argument("<connection>", "name or id")
      .argument("<project>", "GROUP/PROJECT or numeric id"),
    "link git.acme.lan shop/web",
    "link git.acme.lan shop/web --branch release --name shop --health-path /health",
  )
    .description("make an app of a GitLab project: webhook, deploy key, deployment of every push")
    .option("--branch <branch>", "the branch that is deployed (default: the project's default branch)")
    .option("--name <name>", "the app's name and host (default: the project's)")
    .option("--health-path <path>", "what must answer 2xx before a release goes live (default: / below 500)")
    .action(async (connection: string, project: string, { json, ...options }: LinkOptions) => {
      const client = await context.client();
      const app = await client.call(api.link, { body: { connection, project, ...options } });
      if (json) return printJson(context, app);
      terminal.out(
        `${terminal.paint("green", "✓")} Linked ${plain(app.project.path)} as ${terminal.paint("bold", plain(app.name))}`,
      );
      printApp(context, app);
      const { deployments } = await client.call(api.listDeployments, { params: { app: app.name } });
      const name = plain(app.name);
      const branch = plain(app.environments[0]?.branch ?? "it");
      terminal.out(
        deployments.length > 0
          ? `\nThe first deployment is under way: fairlead deployments ${name}. From now on every push to ${branch} is deployed.`
          : `\n${branch} has no commit yet: push to it, and it is deployed.`,
      );
    });

  withExamples(program.command("unlink").argument("<app>", "name or id"), "unlink shop")
    .description("stop an app and remove its webhook and deploy key from GitLab")
    .action(async (app: string, { json }: Json) => {
      const client = await context.client();
      await client.call(api.getApp, { params: { app } }); // unlinking what is not there is no error, a misspelt name is
      const answer = await client.call(api.unlink, { params: { app } });
      if (json) printJson(context, answer);
      else printLeft(context, answer, `Unlinked ${app}`);
      if (answer.left.length > 0) context.exitWith(EXIT.failed);
    });
}

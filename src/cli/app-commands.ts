import type { Command } from "commander";
import { api, type AppAnswer } from "../http/contract.ts";
import { printJson, toCount, withExamples, type Context } from "./context.ts";
import { printApp, printHookByHand } from "./show-app.ts";
import { deploymentRow, DEPLOYMENT_HEADS } from "./show-deployment.ts";
import { printTrouble } from "./show-trouble.ts";
import { ago, printTable, shortCommit } from "./table.ts";
import { plain } from "./terminal.ts";

interface Json {
  readonly json?: boolean;
}
export function addAppCommands(program: Command, context: Context): void {
  const { terminal } = context;

  withExamples(program.command("apps"), "apps", "apps --json")
    .description("list apps")
    .action(async ({ json }: Json) => {
      const client = await context.client();
      const { apps } = await client.call(api.listApps);
      if (json) return apps.forEach((app) => printJson(context, app));
      await printTrouble(context, client);
      if (apps.length === 0)
        return terminal.out("No apps yet. Make one: fairlead link CONNECTION GROUP/PROJECT");
      const rows = apps.flatMap(appRows).sort((a, b) => a.rank - b.rank);
      printTable(
        terminal,
        ["APP", "BRANCH", "LIVE", "PUSHES BY", "URL"],
        rows.map((row) => row.cells),
      );
    });

  withExamples(
    program.command("app").argument("<app>", "name or id"),
    "app shop",
    "app shop --json",
    "app shop --hook",
  )
    .description("show an app: its webhook, environments and newest deployments")
    .option("--hook", "show what to enter in GitLab to make the webhook by hand, with its secret")
    .action((name: string, options: Json & { readonly hook?: boolean }) => showApp(context, name, options));

  withExamples(
    program.command("events").argument("<app>", "name or id"),
    "events shop",
    "events shop --limit 200 --json",
  )
    .description("show what happened to an app, newest first")
    .option("--limit <count>", "how many", toCount, 50)
    .action(async (app: string, { json, limit }: Json & { readonly limit: number }) => {
      const { events } = await (
        await context.client()
      ).call(api.listEvents, { params: { app }, query: { limit } });
      if (json) return events.forEach((event) => printJson(context, event));
      printTable(
        terminal,
        ["WHEN", "EVENT", ""],
        events.map((event) => [ago(event.at), event.kind, event.text]),
      );
    });
}

async function showApp(
  context: Context,
  name: string,
  { json, hook }: Json & { readonly hook?: boolean },
): Promise<void> {
  const { terminal } = context;
  const client = await context.client();
  if (hook) {
    const byHand = await client.call(api.getHook, { params: { app: name } });
    return json ? printJson(context, byHand) : printHookByHand(context, byHand);
  }
  const app = await client.call(api.getApp, { params: { app: name } });
  if (json) return printJson(context, app);
  await printTrouble(context, client);
  terminal.out(`${terminal.paint("bold", plain(app.name))}  ${plain(app.project.webUrl)}`);
  printApp(context, app);
  const { deployments } = await client.call(api.listDeployments, {
    params: { app: name },
    query: { limit: 5 },
  });
  if (deployments.length === 0) return;
  terminal.out("");
  printTable(terminal, DEPLOYMENT_HEADS, deployments.map(deploymentRow));
}

/** Apps with trouble first: those GitLab cannot reach, then those with nothing live. */
function appRows(app: AppAnswer): { rank: number; cells: string[] }[] {
  const pushes = app.hook.state === "active" ? "webhook" : `${app.hook.state} !`;
  return app.environments.map((environment) => ({
    rank: (app.hook.state === "active" ? 2 : 0) + (environment.liveReleaseId === null ? 0 : 1),
    cells: [
      environment.name === "production" ? app.name : `${app.name} (${environment.name})`,
      environment.branch,
      environment.liveCommit === null ? "nothing" : shortCommit(environment.liveCommit),
      pushes,
      environment.url,
    ],
  }));
}

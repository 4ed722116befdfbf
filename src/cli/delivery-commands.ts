import type { Command } from "commander";
import { api, type DeliveryAnswer } from "../http/contract.ts";
import { printJson, toCount, withExamples, type Context } from "./context.ts";
import { ago, printTable, shortCommit } from "./table.ts";
import { plain } from "./terminal.ts";

interface Json {
  readonly json?: boolean;
}

export function addDeliveryCommands(program: Command, context: Context): void {
  const { terminal } = context;

  withExamples(
    program.command("deliveries").argument("<app>", "name or id"),
    "deliveries shop",
    "deliveries shop --limit 200 --json",
  )
    .description("list webhook calls from GitLab and what became of each")
    .option("--limit <count>", "how many", toCount, 20)
    .action(async (app: string, { json, limit }: Json & { readonly limit: number }) => {
      const { deliveries } = await (
        await context.client()
      ).call(api.listDeliveries, { params: { app }, query: { limit } });
      if (json) return deliveries.forEach((delivery) => printJson(context, delivery));
      if (deliveries.length === 0) return terminal.out("GitLab has sent nothing yet.");
      printTable(terminal, ["ID", "WHEN", "EVENT", "REF", "VERDICT", "WHY"], deliveries.map(deliveryRow));
    });

  withExamples(program.command("replay").argument("<delivery>", "its id"), "replay dlv_06b8k2m1x3c7r9qtz4hn")
    .description("process a stored webhook call again")
    .action(async (delivery: string, { json }: Json) => {
      const answer = await (await context.client()).call(api.replay, { params: { delivery } });
      if (json) return printJson(context, answer);
      terminal.out(`${terminal.paint("green", "✓")} Replayed as ${answer.id}`);
    });

  withExamples(
    program.command("try").argument("<app>", "name or id").argument("<ref>", "branch"),
    "try shop main",
  )
    .description("say what a push of a ref would do, and why; does nothing")
    .action(async (app: string, ref: string, { json }: Json) => {
      const answer = await (await context.client()).call(api.tryPush, { params: { app }, body: { ref } });
      if (json) return printJson(context, answer);
      terminal.out(
        `${plain(answer.ref)} ${answer.commit === null ? "(no such branch)" : shortCommit(answer.commit)}`,
      );
      for (const { environment, deploys, reason } of answer.outcomes) {
        const mark = deploys ? terminal.paint("green", "✓ deploys") : terminal.paint("dim", "– no");
        terminal.out(`  ${plain(environment)}: ${mark}, ${plain(reason)}`);
      }
    });
}

function deliveryRow(d: DeliveryAnswer): string[] {
  return [d.id, ago(d.receivedAt), d.event, d.ref ?? "", d.verdict ?? d.state, d.reason ?? ""];
}

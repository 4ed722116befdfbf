import { api, type ConnectionAnswer } from "../http/contract.ts";
import type { Client } from "./client.ts";
import type { Context } from "./context.ts";
import { ago } from "./table.ts";
import { plain } from "./terminal.ts";

/** Above what people look at: connections that do not work, what waits because of it, and where to read on. Nothing when all do. */
export async function printTrouble(context: Context, client: Client): Promise<void> {
  const { connections } = await client.call(api.listConnections);
  for (const connection of connections)
    for (const line of troubleLines(connection)) context.terminal.err(line);
}

function troubleLines({ name, trouble, pausedAt }: ConnectionAnswer): string[] {
  if (trouble === null) return [];
  const waits = pausedAt === null ? "" : `; since ${ago(pausedAt)} its webhook calls and deployments wait`;
  return [
    `! ${plain(name)}: ${plain(trouble.title)} (${trouble.code})${waits}. More: fairlead doctor ${plain(name)}`,
  ];
}

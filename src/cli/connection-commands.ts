import type { Command } from "commander";
import { placesOf } from "../faults/places.ts";
import { parseInstanceUrl } from "../gitlab/url.ts";
import { api, type ConnectionAnswer, type LeftAnswer } from "../http/contract.ts";
import type { NetworkInput } from "../gitlab/parse-network.ts";
import type { Secret } from "../kernel/secret.ts";
import { printJson, withExamples, type Context } from "./context.ts";
import { EXIT } from "./failure.ts";
import { printDiagnosis } from "./show-diagnosis.ts";
import { collect, readNetwork } from "./network-options.ts";
import { ago, printTable } from "./table.ts";
import { plain, type Terminal } from "./terminal.ts";
import { readToken, willAsk } from "./token.ts";

export interface TokenOptions {
  readonly tokenFile?: string;
  readonly ca?: string;
  readonly proxy?: string;
  readonly clientCert?: string;
  readonly clientKey?: string;
  readonly header?: readonly string[];
  readonly json?: boolean;
}

export function addConnectionCommands(program: Command, context: Context): void {
  const { terminal } = context;

  withTokenOptions(program.command("connect").argument("<url>", "address of the GitLab, as in the browser"))
    .description("check a GitLab URL and token, and keep them for linking projects")
    .option("--name <name>", "what to call it (default: its host name)")
    .action(async (url: string, options: TokenOptions & { readonly name?: string }) => {
      const { token, network } = await readAccess(context, url, options);
      const client = await context.client();
      const body = { url, token: token.reveal(), ...network, name: options.name };
      const { connection, diagnosis } = await client.call(api.connect, { body });
      if (options.json) return printJson(context, { ...diagnosis, connection });
      printDiagnosis(terminal, diagnosis);
      terminal.out(
        `\n${terminal.paint("green", "✓")} Connected as ${terminal.paint("bold", plain(connection.name))}`,
      );
      terminal.out(`  Next: fairlead link ${plain(connection.name)} GROUP/PROJECT`);
    });

  withExamples(program.command("connections"), "connections", "connections --json")
    .description("list connections")
    .action(async ({ json }: { readonly json?: boolean }) => {
      const { connections } = await (await context.client()).call(api.listConnections);
      if (json) return connections.forEach((connection) => printJson(context, connection));
      if (connections.length === 0)
        return terminal.out("No connections yet. Make one: fairlead connect https://gitlab.example.com");
      const heads = ["NAME", "GITLAB", "VERSION", "TOKEN", "EXPIRES", "CHECKED", "STATE"];
      printTable(terminal, heads, connections.map(connectionRow));
    });

  withExamples(
    program.command("disconnect").argument("<connection>", "name or id"),
    "disconnect git.acme.lan",
  )
    .description("unlink every app of a connection, remove what was made in GitLab, and forget the token")
    .action(async (connection: string, { json }: { readonly json?: boolean }) => {
      const answer = await (await context.client()).call(api.disconnect, { params: { connection } });
      if (json) printJson(context, answer);
      else printLeft(context, answer, `Disconnected ${connection}`);
      if (answer.left.length > 0) context.exitWith(EXIT.failed);
    });
}

export function withTokenOptions(command: Command): Command {
  const verb = command.name();
  return withExamples(
    command
      .option("--token-file <file>", "file with the token, - for standard input")
      .option("--ca <file>", "PEM file with the certificate authority that signed the GitLab's certificate")
      .option(
        "--proxy <url>",
        "http(s) proxy to reach the GitLab through, @FILE with it, or none (default: HTTPS_PROXY, NO_PROXY)",
      )
      .option("--client-cert <file>", "PEM file with the certificate that the GitLab's server asks for")
      .option("--client-key <file>", "PEM file with that certificate's key")
      .option(
        "--header <name: value>",
        "sent with every request, for a gate in front; may be repeated, or @FILE",
        collect,
      ),
    `${verb} https://git.acme.lan`,
    `${verb} https://git.acme.lan --token-file token.txt --ca acme-ca.pem`,
    `${verb} https://git.acme.lan --json < token.txt`,
  );
}

export async function readAccess(
  context: Context,
  url: string,
  options: TokenOptions,
): Promise<{ token: Secret; network: NetworkInput }> {
  const sources = {
    tokenFile: options.tokenFile,
    fromEnvironment: context.config().gitlabToken,
    question: `Access token for ${plain(url)} (scope api)`,
  };
  const network = await readNetwork(options);
  if (willAsk(context.terminal, sources)) tellTokenPage(context.terminal, url);
  return { token: await readToken(context.terminal, sources, context.signal), network };
}

/** Where to make the token that is about to be asked for. The version is not known yet: GitLab tells it to nobody without a token. */
function tellTokenPage(terminal: Terminal, url: string): void {
  const base = findBaseUrl(url);
  if (base === null) return;
  const [newer = "", older = ""] = placesOf({ baseUrl: base }).tokenLinks();
  terminal.err(
    `No token yet? Make one here, with the scope api:\n  ${plain(newer)}\n  ${plain(older)}   (GitLab before 16.7)\nWhich token, and why api: docs/gitlab-token.md`,
  );
}

/** null: what is wrong with the address is told by the diagnosis. */
function findBaseUrl(url: string): string | null {
  try {
    return parseInstanceUrl(url).baseUrl;
  } catch {
    return null;
  }
}

function connectionRow(c: ConnectionAnswer): string[] {
  const version = c.version === null ? "?" : `${c.version}${c.edition === null ? "" : `-${c.edition}`}`;
  const token = `${c.tokenKind}${c.username === null ? "" : ` @${c.username}`}`;
  const end = c.tokenExpiresAt ?? (c.tokenScopesKnownBy === "self" ? "never" : "not known");
  const way = c.reachedBy.length === 0 ? "" : ` (${c.reachedBy.join(", ")})`;
  return [c.name, `${c.webUrl}${way}`, version, token, end, ago(c.checkedAt), stateOf(c)];
}

function stateOf({ trouble, pausedAt }: ConnectionAnswer): string {
  if (trouble === null) return "ok";
  return `${pausedAt === null ? "" : "paused: "}${trouble.code}`;
}

/** What had to stay in GitLab is named, with its address, for a person to remove. */
export function printLeft({ terminal }: Context, { left }: LeftAnswer, done: string): void {
  terminal.out(`${terminal.paint("green", "✓")} ${plain(done)}`);
  if (left.length === 0) return;
  terminal.out(`${terminal.paint("yellow", "!")} Left behind in GitLab, please remove by hand:`);
  for (const item of left) {
    terminal.out(`    ${item.what === "hook" ? "webhook" : "deploy key"} ${item.id}: ${plain(item.url)}`);
    terminal.out(`      ${plain(item.why)}`);
  }
}

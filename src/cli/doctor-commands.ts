import type { Command } from "commander";
import { shareDiagnosis } from "../doctor/share.ts";
import type { ProjectTarget, Wishes } from "../doctor/visit.ts";
import type { Network } from "../gitlab/network.ts";
import { parseNetwork } from "../gitlab/parse-network.ts";
import { api, type DiagnosisAnswer, type RepairedAnswer } from "../http/contract.ts";
import type { Secret } from "../kernel/secret.ts";
import type { Client } from "./client.ts";
import { isConfirmed } from "./confirm.ts";
import { readAccess, withTokenOptions, type TokenOptions } from "./connection-commands.ts";
import { printJson, withExamples, type Context } from "./context.ts";
import { EXIT, UsageError } from "./failure.ts";
import { printDiagnosis } from "./show-diagnosis.ts";
import { plain, type Terminal } from "./terminal.ts";

/** The doctor, handed in: `check` needs no server and no database. */
export type CheckConnection = (request: {
  readonly url: string;
  readonly token: Secret;
  readonly network: Network;
  readonly projects?: readonly ProjectTarget[];
  readonly wishes?: Partial<Wishes>;
  readonly signal: AbortSignal;
}) => Promise<{ readonly diagnosis: DiagnosisAnswer }>;

interface CheckOptions extends TokenOptions {
  readonly project?: readonly string[];
  readonly ssh?: string | boolean;
  readonly share?: boolean;
  readonly verbose?: boolean;
}

interface DoctorOptions {
  readonly probe?: boolean;
  readonly fix?: boolean;
  readonly yes?: boolean;
  readonly share?: boolean;
  readonly verbose?: boolean;
  readonly json?: boolean;
}

export function addDoctorCommands(
  program: Command,
  context: Context,
  checkConnection: CheckConnection,
): void {
  withTokenOptions(program.command("check").argument("<url>", "address of the GitLab, as in the browser"))
    .description("diagnose a GitLab URL and token, and projects; needs no server")
    .option("--project <project...>", "look at these projects too, by id or full path")
    .option("--ssh [fingerprint]", "look at git over SSH too, and compare the host key (SHA256:…)")
    .option("--share", "without names of hosts, users and projects, to show to others")
    .option("-v, --verbose", "each check on a line, with what was seen, also those that are fine")
    .action(async (url: string, options: CheckOptions) => {
      const { token, network } = await readAccess(context, url, options);
      const { diagnosis } = await checkConnection({
        url,
        token,
        network: { ...parseNetwork(network), machine: context.config().proxies },
        projects: (options.project ?? []).map((project) => ({ project, seen: null })),
        wishes: toWishes(context, options),
        signal: context.signal,
      });
      show(context, diagnosis, options);
    });

  withExamples(
    program.command("doctor").argument("[connection]", "name or id; all of them when absent"),
    "doctor",
    "doctor git.acme.lan --probe",
    "doctor git.acme.lan --fix",
    "doctor git.acme.lan --share",
  )
    .description("diagnose stored connections and their projects, with what Fairlead has seen of them")
    .option("--probe", "let GitLab call the webhooks, too: GitLab logs that")
    .option("--fix", "say what would be made again in GitLab, ask, and do it")
    .option("--yes", "with --fix: do it without asking")
    .option("--share", "without names of hosts, users and projects, to show to others")
    .option("-v, --verbose", "each check on a line, with what was seen, also those that are fine")
    .action(async (connection: string | undefined, options: DoctorOptions) => {
      const client = await context.client();
      const names = connection === undefined ? await listNames(client) : [connection];
      if (names.length === 0) throw new UsageError("There is no connection yet: fairlead connect URL.");
      for (const name of names) {
        const wish = options.probe === true ? { probe: true } : {};
        const diagnosis = await client.call(api.doctor, { params: { connection: name }, body: wish });
        show(context, diagnosis, options);
        if (options.fix === true) await fix(context, client, name, options);
      }
    });
}

async function listNames(client: Client): Promise<readonly string[]> {
  const { connections } = await client.call(api.listConnections);
  return connections.map(({ name }) => name);
}

function show(
  context: Context,
  diagnosis: DiagnosisAnswer,
  options: Pick<DoctorOptions, "share" | "verbose" | "json">,
): void {
  const shown = options.share === true ? shareDiagnosis(diagnosis) : diagnosis;
  if (options.json) printJson(context, shown);
  else printDiagnosis(context.terminal, shown, options.verbose);
  if (!diagnosis.ok) context.exitWith(EXIT.failed);
}

/** Says what it will do, asks, then does it. Without a terminal nobody can be asked: then nothing is done without --yes. */
async function fix(
  context: Context,
  client: Client,
  connection: string,
  options: DoctorOptions,
): Promise<void> {
  const { terminal } = context;
  const params = { connection };
  const { repairs } = await client.call(api.listRepairs, { params });
  const say = (text: string): void => (options.json ? terminal.err(text) : terminal.out(text));
  if (repairs.length === 0) return say("\nThere is nothing that Fairlead could make again in GitLab.");
  say("\nThis would be done in GitLab:");
  for (const { text } of repairs) say(`  ${plain(text)}`);
  if (options.yes !== true && !(await isConfirmed(context, "Do it?")))
    return say("Nothing was done. With --yes it is done without asking.");
  const { repaired } = await client.call(api.repair, { params, body: {} });
  if (options.json) printJson(context, { repaired });
  else for (const one of repaired) terminal.out(resultLine(terminal, one));
  if (repaired.some(({ failed }) => failed !== null)) context.exitWith(EXIT.failed);
}

function resultLine(terminal: Terminal, { text, failed }: RepairedAnswer): string {
  return failed === null
    ? `${terminal.paint("green", "✓")} ${plain(text)}`
    : `${terminal.paint("red", "✗")} ${plain(text)}\n    ${plain(failed)}`;
}

function toWishes(context: Context, { ssh }: CheckOptions): Partial<Wishes> {
  const { passThrough } = context.config();
  const fingerprint = typeof ssh === "string" ? ssh : null;
  return { searchPath: passThrough.PATH, ssh: ssh === undefined ? null : { fingerprint } };
}

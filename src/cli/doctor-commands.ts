import type { Command } from "commander";
import type { ProjectTarget, Wishes } from "../doctor/visit.ts";
import type { DiagnosisAnswer } from "../http/contract.ts";
import type { Secret } from "../kernel/secret.ts";
import { readAccess, withTokenOptions, type TokenOptions } from "./connection-commands.ts";
import { printJson, type Context } from "./context.ts";
import { EXIT } from "./failure.ts";
import { printDiagnosis } from "./show-diagnosis.ts";

/** The doctor, handed in: `check` needs no server and no database. */
export type CheckConnection = (request: {
  readonly url: string;
  readonly token: Secret;
  readonly ca?: string;
  readonly projects?: readonly ProjectTarget[];
  readonly wishes?: Partial<Wishes>;
  readonly signal: AbortSignal;
}) => Promise<{ readonly diagnosis: DiagnosisAnswer }>;

interface CheckOptions extends TokenOptions {
  readonly project?: readonly string[];
  readonly ssh?: string | boolean;
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
    .action(async (url: string, options: CheckOptions) => {
      const { token, ca } = await readAccess(context, url, options);
      const { diagnosis } = await checkConnection({
        url,
        token,
        ...ca,
        projects: (options.project ?? []).map((project) => ({ project, seen: null })),
        wishes: toWishes(context, options),
        signal: context.signal,
      });
      if (options.json) printJson(context, diagnosis);
      else printDiagnosis(context.terminal, diagnosis);
      if (!diagnosis.ok) context.exitWith(EXIT.failed);
    });
}

function toWishes(context: Context, { ssh }: CheckOptions): Partial<Wishes> {
  const { passThrough } = context.config();
  const fingerprint = typeof ssh === "string" ? ssh : null;
  return { searchPath: passThrough.PATH, ssh: ssh === undefined ? null : { fingerprint } };
}

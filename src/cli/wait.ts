import { explain } from "../faults/catalogue.ts";
import { CODES, type FaultCode } from "../faults/codes.ts";
import { api, type DeploymentAnswer } from "../http/contract.ts";
import { sleep } from "../kernel/clock.ts";
import type { Client } from "./client.ts";
import type { Context } from "./context.ts";
import { Interrupted } from "./failure.ts";
import { deploymentTitle, stepLine } from "./show-deployment.ts";
import { errorLines, isUnreachable, type ErrorFacts } from "./show-problem.ts";
import { duration } from "./table.ts";
import { plain } from "./terminal.ts";

const POLL_MS = 300;
/** A server that is being updated is back within this. */
const ABSENCE_MS = 30_000;
const TAIL_LINES = 20;

/** Shows the steps of a deployment as they happen and returns it when it has ended. Ctrl-C stops the waiting, not the deployment. */
export async function waitForDeployment(
  context: Context,
  client: Client,
  begun: DeploymentAnswer,
): Promise<DeploymentAnswer> {
  const { terminal } = context;
  const printed = new Set<string>();
  terminal.err(deploymentTitle(terminal, begun));
  try {
    for (let deployment = begun; ; deployment = await poll(context, client, deployment)) {
      showSteps(context, deployment, printed);
      if (deployment.finishedAt !== null) return deployment;
      await sleep(POLL_MS, context.signal);
    }
  } catch (error) {
    if (!context.signal.aborted) throw error;
    throw new Interrupted(
      `Stopped waiting; the deployment goes on. Watch it: fairlead logs --deployment ${begun.id} -f`,
    );
  } finally {
    terminal.live("");
  }
}

function showSteps({ terminal }: Context, deployment: DeploymentAnswer, printed: Set<string>): void {
  const now = new Date();
  let running = deployment.finishedAt === null ? `… ${deployment.state}` : "";
  for (const step of deployment.steps) {
    const key = `${step.attempt} ${step.name}`;
    if (step.state === "running") running = stepLine(terminal, step, now);
    if (step.state === "running" || printed.has(key)) continue;
    printed.add(key);
    terminal.live("");
    terminal.err(stepLine(terminal, step, now));
  }
  terminal.live(running);
}

async function poll(context: Context, client: Client, { id }: DeploymentAnswer): Promise<DeploymentAnswer> {
  for (const began = Date.now(); ; await sleep(POLL_MS, context.signal)) {
    try {
      return await client.call(api.getDeployment, { params: { deployment: id } });
    } catch (error) {
      if (!isUnreachable(error) || Date.now() - began > ABSENCE_MS) throw error;
      context.terminal.live("… the server does not answer, trying again");
    }
  }
}

/** How it ended, for people: the live address, or what failed with the end of its log. True when it is live. */
export async function printOutcome(
  context: Context,
  client: Client,
  deployment: DeploymentAnswer,
): Promise<boolean> {
  const { terminal } = context;
  if (deployment.state === "live") {
    const ms = (deployment.finishedAt ?? new Date()).getTime() - deployment.createdAt.getTime();
    terminal.out(`${terminal.paint("green", "✓")} live at ${plain(deployment.url)}  (${duration(ms)})`);
    return true;
  }
  const lines: string[] = [];
  for await (const line of client.stream(api.deploymentLogs, { params: { deployment: deployment.id } })) {
    lines.push(line.text);
    if (lines.length > TAIL_LINES) lines.shift();
  }
  for (const line of lines) terminal.err(terminal.paint("dim", `  │ ${plain(line)}`));
  terminal.err(errorLines(terminal, factsOf(deployment)).join("\n"));
  terminal.err(`    Whole log: fairlead logs --deployment ${deployment.id}`);
  return false;
}

function factsOf({ fault, number, state }: DeploymentAnswer): ErrorFacts {
  const { code, reason, message } = fault ?? { code: state.toUpperCase(), reason: "", message: "" };
  const title = `Deployment #${number} ${state}`;
  if (!isFaultCode(code)) return { code, reason, title, cause: message, fix: [], evidence: {} };
  const told = explain({ code, reason, message, evidence: {} });
  return { code, reason, title: `${title}: ${told.title}`, cause: told.cause, fix: told.fix, evidence: {} };
}

/** A newer server may know codes that this program does not. */
function isFaultCode(code: string): code is FaultCode {
  return Object.hasOwn(CODES, code);
}

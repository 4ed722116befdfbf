import type { DeploymentAnswer } from "../http/contract.ts";
import { ago, duration, shortCommit } from "./table.ts";
import { plain, type Style, type Terminal } from "./terminal.ts";

type Step = DeploymentAnswer["steps"][number];

export const DEPLOYMENT_HEADS = ["#", "ID", "STATE", "WHEN", "TOOK", "COMMIT", "BY", "TITLE"];

export function deploymentRow(d: DeploymentAnswer): string[] {
  const took = d.startedAt && d.finishedAt ? duration(d.finishedAt.getTime() - d.startedAt.getTime()) : "";
  const state = d.fault === null ? d.state : `${d.state}: ${d.fault.code}`;
  const author = d.author === null ? "" : `, ${d.author}`;
  return [
    String(d.number),
    d.id,
    state,
    ago(d.createdAt),
    took,
    shortCommit(d.commit),
    `${d.cause}${author}`,
    d.title ?? "",
  ];
}

export function deploymentTitle(terminal: Terminal, d: DeploymentAnswer): string {
  const title = d.title === null ? "" : `  “${plain(d.title)}”`;
  return `${terminal.paint("bold", `#${d.number} ${plain(d.app)} → ${plain(d.environment)}`)}  ${plain(d.ref)} ${shortCommit(d.commit)}${title}`;
}

const MARKS: Record<Step["state"], { mark: string; style: Style }> = {
  done: { mark: "✓", style: "green" },
  failed: { mark: "✗", style: "red" },
  running: { mark: "…", style: "dim" },
};

export function stepLine(terminal: Terminal, step: Step, now: Date): string {
  const { mark, style } = MARKS[step.state];
  const ms = (step.finishedAt ?? now).getTime() - step.startedAt.getTime();
  const again = step.attempt > 1 ? `  (try ${step.attempt})` : "";
  return `${terminal.paint(style, mark)} ${plain(step.name).padEnd(14)} ${duration(ms).padStart(8)}${again}`;
}

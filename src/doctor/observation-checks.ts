import { NOTHING_OBSERVED, type Observations } from "./observations.ts";
import type { CheckDefinition, Outcome, Visit } from "./visit.ts";

/** Told for the whole connection where no project is looked at. */
export const DELIVERIES_CHECK: CheckDefinition = {
  id: "hook.deliveries",
  about: "Webhook calls",
  run: checkDeliveries,
};

/** What only a running Fairlead knows. Never a failure: the connection itself is sound when these are reached. */
export const OBSERVATION_CHECKS: readonly CheckDefinition[] = [
  { id: "hook.gap", about: "Missed pushes", run: checkGap },
  { id: "status.write", about: "Commit statuses", run: checkStatus },
];

function seen(visit: Visit): Observations {
  return visit.observations ?? NOTHING_OBSERVED;
}

function checkDeliveries(visit: Visit): Outcome {
  const { deliveriesSeen } = seen(visit);
  if (deliveriesSeen === "unknown")
    return { state: "unknown", title: "Whether webhook calls arrive is not known" };
  return describeReceived({ ...deliveriesSeen, lastAt: null });
}

export function describeReceived(calls: {
  readonly accepted: number;
  readonly refused: number;
  readonly lastAt: Date | null;
}): Outcome {
  const { accepted, refused, lastAt } = calls;
  const last =
    lastAt === null ? "" : `, the last at ${lastAt.toISOString().slice(0, 16).replace("T", " ")} UTC`;
  const evidence = `${accepted} accepted in seven days, ${refused} refused since the webhook was made${last}`;
  if (refused === 0) return { state: "ok", title: "Webhook calls are right", evidence, source: "local" };
  return {
    state: "warn",
    title: "Webhook calls with a wrong secret arrive",
    evidence,
    source: "local",
    fix: "If they come from this GitLab, let Fairlead set the secret anew: fairlead doctor --fix.",
  };
}

function checkGap(visit: Visit): Outcome {
  const { headsNotDeployed } = seen(visit);
  if (headsNotDeployed === "unknown")
    return { state: "unknown", title: "Whether pushes were missed is not known" };
  if (headsNotDeployed.length === 0)
    return { state: "ok", title: "Every branch head was seen", source: "local" };
  const evidence = headsNotDeployed.slice(0, 20).join(", ");
  const fix = "Deploy what is missing: fairlead deploy APP.";
  return {
    state: "warn",
    title: "Branches have moved on without a deployment",
    evidence,
    source: "local",
    fix,
  };
}

function checkStatus(visit: Visit): Outcome {
  const { statusWritten } = seen(visit);
  if (statusWritten === "unknown") return { state: "unknown", title: "No commit status was written yet" };
  const { ok, words } = statusWritten;
  const rest = { evidence: words, source: "local" } as const;
  return ok
    ? { state: "ok", title: "Commit statuses are written", ...rest }
    : { state: "warn", title: "The last commit status was refused", ...rest };
}

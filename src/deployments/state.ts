/**
 * The life of a deployment as data: from → to → why. `draining` comes after the switch: the new release is live already, so from there
 * only `live` follows. The check constraint in SQL is held to this list by a test.
 */
export const TRANSITIONS = {
  queued: {
    checking_out: "a worker claimed it",
    starting: "a worker claimed a rollback: nothing to build",
    superseded: "a newer push of the environment was queued",
    cancelled: "a person cancelled it",
    failed: "it cannot be started",
  },
  checking_out: {
    queued: "its worker was lost and another may take it",
    building: "the tree is at the commit",
    failed: "git failed",
    cancelled: "a person cancelled it",
  },
  building: {
    queued: "its worker was lost and another may take it",
    starting: "the release is complete",
    failed: "the build failed",
    cancelled: "a person cancelled it",
  },
  starting: {
    queued: "its worker was lost and another may take it",
    verifying: "the replica has a process",
    failed: "the replica did not start",
    cancelled: "a person cancelled it",
  },
  verifying: {
    queued: "its worker was lost and another may take it",
    switching: "the replica is healthy",
    failed: "the replica is not healthy",
    cancelled: "a person cancelled it",
  },
  switching: {
    queued: "its worker was lost before the edge switched",
    draining: "the edge acknowledged the switch",
    failed: "the edge refused the switch",
    cancelled: "a person cancelled it before the edge switched",
  },
  draining: { live: "nothing is under way to the old release any more" },
  live: {},
  failed: {},
  cancelled: {},
  superseded: {},
} as const satisfies Record<string, Record<string, string>>;

export type DeploymentState = keyof typeof TRANSITIONS;

export const STATES = Object.keys(TRANSITIONS).filter(isDeploymentState);

export const TERMINAL_STATES = STATES.filter((state) => Object.keys(TRANSITIONS[state]).length === 0);

/** A worker is at work on it. */
export const RUNNING_STATES = STATES.filter(
  (state) => state !== "queued" && !TERMINAL_STATES.includes(state),
);

export function isDeploymentState(text: string): text is DeploymentState {
  return Object.hasOwn(TRANSITIONS, text);
}

export function mayFollow(from: DeploymentState, to: DeploymentState): boolean {
  return Object.hasOwn(TRANSITIONS[from], to);
}

/**
 * What Fairlead itself has seen of a connection: filled in by `pushes`, which has the rows. "unknown" is the answer of everybody who has none, and
 * never counts against a connection.
 */
export interface Observations {
  /** Webhook calls that arrived, in the last seven days. */
  readonly deliveriesSeen: { readonly accepted: number; readonly refused: number } | "unknown";
  /** Environments whose branch head is not what was wanted last, by name. */
  readonly headsNotDeployed: readonly string[] | "unknown";
  /** Commit statuses sent to GitLab: how the last one ended. */
  readonly statusWritten: { readonly ok: boolean; readonly words: string } | "unknown";
}

export const NOTHING_OBSERVED: Observations = {
  deliveriesSeen: "unknown",
  headsNotDeployed: "unknown",
  statusWritten: "unknown",
};

/**
 * What Fairlead itself has seen of a connection: filled in by `pushes`, which has the rows. "unknown" is the answer of everybody who has none, and
 * never counts against a connection.
 */
export interface Observations {
  /** Webhook calls that arrived: accepted ones of the last seven days, refused ones since the webhook was made. */
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

/** What Fairlead knows of one linked project. */
export interface ProjectSeen {
  /** The address GitLab was told to call, as far as it is known; null: none, it is polled. */
  readonly hookUrl: string | null;
  readonly hookId: number | null;
  /** Why there is no webhook. */
  readonly pollingBecause: string | null;
  /** Ids of deploy keys that GitLab should know. */
  readonly deployKeyIds: readonly number[];
  /** Calls with the right secret in the last seven days, and with a wrong one since the webhook was made. */
  readonly deliveries: {
    readonly accepted: number;
    readonly refused: number;
    readonly lastAt: Date | null;
  };
  /** How many calls of this project's hook were stored since then. */
  readonly countSince: (since: Date) => Promise<number>;
}

/** Deliveries: from the webhook call to its verdict. */
export interface IncomingDelivery {
  /** The random part of the hook's URL. */
  readonly hookPath: string;
  /** Lower-case names. */
  readonly headers: Readonly<Record<string, string | undefined>>;
  /** The body as it came, up to 26 MB. */
  readonly body: Buffer;
}

export type Acceptance =
  /** Stored; answered 2xx. `accepted` false: stored or recognised as nothing to do, with the reason. */
  | { readonly kind: "accepted"; readonly deliveryId: string }
  | { readonly kind: "ignored"; readonly deliveryId: string | null; readonly reason: string }
  /** 401: counted on the linked project, no row. */
  | { readonly kind: "refused" }
  /** 404: no such hook. */
  | { readonly kind: "unknown_hook" }
  /** 400: not JSON, or not a payload of GitLab. */
  | { readonly kind: "malformed"; readonly reason: string };

export interface DeliveryView {
  readonly id: string;
  readonly project: string;
  readonly receivedAt: Date;
  readonly event: string;
  readonly ref: string | null;
  readonly state: "received" | "processed";
  readonly verdict: "deployed" | "ignored" | "failed" | null;
  readonly reason: string | null;
  readonly trace: readonly string[];
  readonly deployments: readonly string[];
  readonly processedAt: Date | null;
}

/** What a push would do, and why. */
export interface DryRun {
  readonly ref: string;
  readonly commit: string | null;
  readonly outcomes: readonly {
    readonly environment: string;
    readonly deploys: boolean;
    readonly reason: string;
  }[];
}

export interface Pushes {
  /**
   * Whether a hook has this secret path: who does not know it may not make us hold a body. Throws `DATABASE_UNAVAILABLE`.
   */
  knows(hookPath: string): Promise<boolean>;
  /** Verifies, stores, notifies: one statement for an accepted push. Throws `DATABASE_UNAVAILABLE` when it could not be stored (answered 503). */
  accept(delivery: IncomingDelivery): Promise<Acceptance>;
  list(app: string, limit: number): Promise<readonly DeliveryView[]>;
  get(id: string): Promise<DeliveryView>;
  /** Processes a stored delivery again as if it had just come: a new row that names the old one. */
  replay(id: string): Promise<DeliveryView>;
  dryRun(app: string, ref: string): Promise<DryRun>;
}

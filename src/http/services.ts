import type { Apps } from "../apps/apps.ts";
import type { Connections } from "../connections/connections.ts";
import type { Deployments } from "../deployments/deployments.ts";
import type { Diagnosis } from "../doctor/diagnosis.ts";
import type { Secret } from "../kernel/secret.ts";
import type { Pushes } from "../pushes/pushes.ts";

/** What the routes need of the parts below. */
export interface Services {
  readonly connections: Pick<Connections, "connect" | "list" | "get">;
  readonly apps: Apps;
  readonly deployments: Deployments;
  readonly pushes: Pushes;
  /** A diagnosis that stores nothing; never throws for what is wrong with the URL or token. */
  readonly check: (request: CheckRequest) => Promise<Diagnosis>;
}

export interface CheckRequest {
  readonly url: string;
  readonly token: Secret;
  readonly ca: string | undefined;
  readonly signal: AbortSignal;
}

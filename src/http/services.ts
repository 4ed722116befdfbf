import type { Apps } from "../apps/apps.ts";
import type { Repair, Repaired } from "../apps/repair.ts";
import type { Browser } from "../connections/browse.ts";
import type { Connections } from "../connections/connections.ts";
import type { Deployments } from "../deployments/deployments.ts";
import type { Diagnosis } from "../doctor/diagnosis.ts";
import type { ProjectTarget } from "../doctor/visit.ts";
import type { Network } from "../gitlab/network.ts";
import type { Secret } from "../kernel/secret.ts";
import type { DiagnoseWish } from "../pushes/diagnose.ts";
import type { Pushes } from "../pushes/pushes.ts";

/** What the routes need of the parts below. */
export interface Services {
  readonly connections: Omit<Connections, "open" | "forget" | "suspect">;
  readonly browser: Browser;
  readonly apps: Apps;
  readonly deployments: Deployments;
  readonly pushes: Pushes;
  /** A diagnosis that stores nothing; never throws for what is wrong with the URL or token. */
  readonly check: (request: CheckRequest) => Promise<Diagnosis>;
  /** Of stored connections, with what Fairlead itself has seen of them. */
  readonly doctor: Doctor;
}

export interface Doctor {
  diagnose(connection: string, wish: DiagnoseWish, signal: AbortSignal): Promise<Diagnosis>;
  /** What is not as it was made in GitLab; changes nothing. */
  listRepairs(connection: string, signal: AbortSignal): Promise<readonly Repair[]>;
  /** Does all of it. */
  repair(connection: string, signal: AbortSignal): Promise<readonly Repaired[]>;
}

export interface CheckRequest {
  readonly url: string;
  readonly token: Secret;
  readonly projects: readonly ProjectTarget[];
  readonly network: Network;
  readonly signal: AbortSignal;
}

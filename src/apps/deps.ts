import type { Connections } from "../connections/connections.ts";
import type { Vault } from "../secrets/vault.ts";
import type { Store } from "../store/store.ts";
import type { Logger } from "../telemetry/log.ts";
import type { Teardown } from "./apps.ts";

export interface AppsDeps {
  readonly store: Store;
  readonly vault: Vault;
  readonly connections: Connections;
  /** How GitLab reaches us: `FAIRLEAD_PUBLIC_URL`; null when it is not set. */
  readonly publicUrl: string | null;
  /** Apps answer at `<app>.<appsDomain>`. */
  readonly appsDomain: string;
  /** Where people reach a host: `http://shop.localhost:8080`. */
  readonly publicAppUrl: (host: string) => string;
  readonly teardown: Teardown;
  /** Removes the copy of a project's repository: called with its last app. May be called again. */
  readonly forgetSource: (connectionId: string, projectId: number) => Promise<void>;
  /** Called after a link is complete and the branch has a commit: deploys it. */
  readonly onLinked: (environmentId: string) => Promise<void>;
  readonly log: Logger;
}

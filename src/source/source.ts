import type { Secret } from "../kernel/secret.ts";

/** git, by the git program. Throws Faults: the GIT codes, `CANCELLED` when the signal aborts, `LOST_WORKER` when a higher attempt took the workspace. */
export interface Remote {
  /** Names the mirror; stable for one GitLab project: `con_…/42`. */
  readonly key: string;
  /** `http_url_to_repo` as GitLab reports it. Never holds a credential. */
  readonly url: string;
  readonly token: Secret;
  /** PEM certificates trusted besides the system's. */
  readonly ca?: string | undefined;
  readonly way?: RemoteWay | undefined;
}

/** How the remote is reached, where not straight. All of it may be secret. */
export interface RemoteWay {
  /** `http://user:password@proxy.acme.lan:3128`; null: no proxy. */
  readonly proxy: Secret | null;
  readonly clientCertificate?: { readonly certificate: string; readonly key: Secret } | undefined;
  /** Sent to the remote's origin. */
  readonly headers?: Readonly<Record<string, Secret>> | undefined;
}

export interface CheckoutRequest {
  readonly remote: Remote;
  /** Full hexadecimal id of the commit. */
  readonly commit: string;
  /** The persistent folder of the environment. Holds the tree without `.git`; files git does not track are kept (caches) unless they are in the way. */
  readonly workspace: string;
  readonly fence: { readonly deploymentId: string; readonly attempt: number };
  readonly signal: AbortSignal;
  readonly onLine: (line: string) => void;
}

export interface CheckedOut {
  readonly commit: string;
  readonly title: string;
  readonly author: string;
}

export interface Source {
  /**
   * Brings the workspace to exactly this commit. The first time only that commit is fetched (depth 1). After it returns, `git` knows
   * of no difference between the tree and the commit, untracked files aside.
   */
  checkOut(request: CheckoutRequest): Promise<CheckedOut>;

  /**
   * After a workspace was moved or copied to a path where none was: what git knows of the files goes there too, so that they are compared
   * and not written again. To null: forgets it. Only while nobody works in either. May be called twice.
   */
  follow(workspace: string, to: string | null): Promise<void>;

  /** Makes a mirror that was begun with depth 1 whole, so that later fetches are small. Idempotent; called after the deployment. */
  fillMirror(remote: Remote, signal: AbortSignal): Promise<void>;

  /** Removes the mirror of a project. */
  forget(key: string): Promise<void>;
}

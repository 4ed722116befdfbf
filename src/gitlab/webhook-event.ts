/** What a webhook says, as far as Fairlead reacts to it. `event` is GitLab's word for it (`push`, `note`), at most 60 characters. */
export type WebhookEvent =
  | PushEvent
  | TagPushEvent
  | MergeRequestEvent
  /** Nothing to do, and why. */
  | { readonly kind: "ignored"; readonly event: string; readonly reason: string }
  /** Not what GitLab sends, and what is wrong with it. */
  | { readonly kind: "malformed"; readonly event: string; readonly reason: string };

interface RefChange {
  readonly event: string;
  /** `refs/heads/main` */
  readonly ref: string;
  readonly projectId: number;
  /** Null: GitLab did not say (the payload of a group or system hook always says). */
  readonly projectPath: string | null;
  /** 40 or 64 hexadecimal digits; zeros when the ref is new. */
  readonly before: string;
  /** Zeros when the ref is gone. For an annotated tag the tag object. */
  readonly after: string;
  /** The commit; null when the ref is gone. */
  readonly checkoutSha: string | null;
  readonly created: boolean;
  readonly deleted: boolean;
  /** Title of the newest commit; null when the payload lists none (a new branch at an existing commit). */
  readonly commitTitle: string | null;
  /** Who pushed. */
  readonly author: string | null;
  /** The true number of commits, of which GitLab lists 20. */
  readonly totalCommits: number;
}

export interface PushEvent extends RefChange {
  readonly kind: "push";
  readonly branch: string;
}

export interface TagPushEvent extends RefChange {
  readonly kind: "tag_push";
  readonly tag: string;
}

export interface MergeRequestEvent {
  readonly kind: "merge_request";
  readonly event: string;
  readonly projectId: number;
  readonly iid: number;
  readonly action: "open" | "close" | "reopen" | "update" | "merge" | "unknown";
  /** True: the update brought commits. An update without is an edit of title, labels and the like. */
  readonly pushed: boolean;
  readonly sourceBranch: string;
  readonly targetBranch: string;
  readonly sourceProjectId: number | null;
  readonly targetProjectId: number;
  readonly headSha: string | null;
  readonly title: string;
}

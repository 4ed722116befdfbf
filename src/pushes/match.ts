/** Which environments want a branch head. Pure: every "no" is a sentence that is kept and shown. */
export interface Candidate {
  readonly environmentId: string;
  readonly app: string;
  readonly environment: string;
  readonly branch: string;
  readonly wantedCommit: string | null;
  readonly removing: boolean;
}

export interface SeenHead {
  /** Without `refs/heads/`. */
  readonly branch: string;
  /** What the branch points to now; null: it is gone. */
  readonly head: { readonly commit: string; readonly message: string } | null;
  /** `git push -o deploy.skip` or `-o ci.skip`. */
  readonly skipRequested: boolean;
}

export interface Outcome {
  readonly environmentId: string;
  /** `shop/production`. */
  readonly label: string;
  readonly deploys: boolean;
  readonly reason: string;
}

const SKIP_MARK = /\[(?:skip[ -](?:ci|deploy)|(?:ci|deploy)[ -]skip)\]/i;

export function match(candidates: readonly Candidate[], seen: SeenHead): readonly Outcome[] {
  return candidates.map((candidate) => {
    const refusal = refuse(candidate, seen);
    return {
      environmentId: candidate.environmentId,
      label: `${candidate.app}/${candidate.environment}`,
      deploys: refusal === null,
      reason: refusal ?? `follows ${seen.branch}, which is at a commit that it does not have yet`,
    };
  });
}

function refuse(candidate: Candidate, { branch, head, skipRequested }: SeenHead): string | null {
  if (candidate.removing) return "is being unlinked";
  if (candidate.branch !== branch) return `follows branch ${candidate.branch}, not ${branch}`;
  if (head === null) return `branch ${branch} does not exist (any more)`;
  // Only the head is a duplicate: A → B → A deploys three times.
  if (head.commit === candidate.wantedCommit) {
    return `commit ${shortSha(head.commit)} is the one it was last told to deploy`;
  }
  if (skipRequested) return "the push asked to be skipped (push option skip)";
  const mark = SKIP_MARK.exec(head.message);
  if (mark) return `the message of commit ${shortSha(head.commit)} says ${mark[0]}`;
  return null;
}

export function shortSha(commit: string): string {
  return commit.slice(0, 8);
}

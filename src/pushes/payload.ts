import { z } from "zod";

/** What is kept of a push and read again when it is processed. Names are GitLab's, so that whole and shortened payloads read alike. */
const option = z.object({ skip: z.unknown().optional() }).optional().catch(undefined);
const schema = z.object({
  ref: z.string().catch(""),
  before: z.string().catch(""),
  after: z.string().catch(""),
  push_options: z.object({ ci: option, deploy: option }).optional().catch(undefined),
});

export interface PushFacts {
  /** Without `refs/heads/`; null: not a branch. */
  readonly branch: string | null;
  readonly before: string;
  readonly after: string;
  readonly skipRequested: boolean;
}

/** Reads a stored payload. Never throws: rows may be older than this code. */
export function readPushFacts(payload: unknown): PushFacts {
  const parsed = schema.safeParse(payload);
  const { ref, before, after, push_options } = parsed.success
    ? parsed.data
    : { ref: "", before: "", after: "", push_options: undefined };
  const asked = [push_options?.ci?.skip, push_options?.deploy?.skip];
  return {
    branch: ref.startsWith("refs/heads/") ? ref.slice("refs/heads/".length) : null,
    before,
    after,
    skipRequested: asked.some((skip) => skip !== undefined && skip !== null && skip !== false),
  };
}

/** GitLab's way of saying "there was nothing before" or "nothing is left". */
export function isNullSha(sha: string): boolean {
  return /^0+$/.test(sha);
}

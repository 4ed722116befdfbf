import { Fault } from "../faults/fault.ts";
import { identifyGitLab } from "../gitlab/identify.ts";
import type { InstanceUrl } from "../gitlab/url.ts";
import { deadline } from "../kernel/clock.ts";

const TRY_MS = 3000;
const MAX_TRIES = 4;

/**
 * Somebody pasted the address of a project, or left out the sub-path: looks above the given path and in GitLab's usual sub-path, on the same origin and
 * without a token. The fault then says where GitLab is (`found`); else it comes back as it was.
 */
export async function findNearby(
  fault: Fault,
  base: InstanceUrl,
  ca: string | undefined,
  signal: AbortSignal,
): Promise<Fault> {
  if (!fault.is("NOT_GITLAB")) return fault;
  for (const baseUrl of candidates(base)) {
    if (signal.aborted) return fault;
    if (await isGitLab(baseUrl, ca, deadline(TRY_MS, signal))) {
      return Fault.of("NOT_GITLAB", "wrong_path", { evidence: { ...fault.evidence, found: baseUrl } });
    }
  }
  return fault;
}

function candidates({ baseUrl, origin }: InstanceUrl): string[] {
  const segments = baseUrl
    .slice(origin.length)
    .split("/")
    .filter((segment) => segment !== "");
  const parents = segments.map((_, length) => [origin, ...segments.slice(0, length)].join("/")).toReversed();
  return [...parents, `${origin}/gitlab`].filter((url) => url !== baseUrl).slice(0, MAX_TRIES);
}

async function isGitLab(baseUrl: string, ca: string | undefined, signal: AbortSignal): Promise<boolean> {
  try {
    await identifyGitLab({ baseUrl, ca }, { signal });
    return true;
  } catch (error) {
    if (error instanceof Fault) return false;
    throw error;
  }
}

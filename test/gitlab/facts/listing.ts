import { readFileSync } from "node:fs";
import { join } from "node:path";

/** Why a fact is not reproduced; the first word of every entry of `listing.json`. */
export const REASONS = {
  "not yet like GitLab": "the sandbox should do this; the words after the colon say what it lacks",
  "not tried": "no rule sets this situation up yet",
  "GitLab's inside": "the spec replaces a part of GitLab, counts its queries, or states no status",
  "another way in": "job token, OAuth, sudo, session, or headers that only GitLab's own proxy sends",
  "a switch of GitLab":
    "a feature flag, rate limit or administrator's setting that the sandbox does not have",
  "a part the sandbox leaves out": "forks, avatars, clusters, CI, statistics, … of which it holds nothing",
} as const;

export type Listing = Readonly<Record<string, Readonly<Record<string, string>>>>;

/** Area → fact's id → reason. Throws for a reason that is none of the above. */
export function readListing(): Listing {
  const listing: Listing = JSON.parse(readFileSync(join(import.meta.dirname, "listing.json"), "utf8"));
  for (const [area, entries] of Object.entries(listing)) {
    for (const [id, reason] of Object.entries(entries)) {
      if (!((reason.split(":")[0] ?? "") in REASONS))
        throw new Error(`${area} ${id}: no such reason: ${reason}`);
    }
  }
  return listing;
}

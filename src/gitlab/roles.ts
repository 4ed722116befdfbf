/** What webhooks and deploy keys need. */
export const MAINTAINER = 40;

const NAMES: Readonly<Record<number, string>> = {
  0: "no member",
  5: "Minimal access",
  10: "Guest",
  15: "Planner",
  20: "Reporter",
  30: "Developer",
  40: "Maintainer",
  50: "Owner",
};

/** A role as GitLab's pages name it; null: a level that is not known. */
export function roleName(accessLevel: number): string | null {
  return NAMES[accessLevel] ?? null;
}

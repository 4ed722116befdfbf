import type { Version } from "../versions.ts";

const RULE = "=".repeat(72);

/** How gitlab-shell shows a refusal: in a frame since its version 10, before that with GitLab's name in front. */
export function consoleMessage(version: Version, text: string): string {
  if (!version.has("framedSshErrors")) return `GitLab: ${text}\n`;
  const lines = text.trimEnd().split("\n");
  const framed = ["", RULE, "", ...lines, "", RULE, ""];
  return framed.map((line) => `remote: ${line}\n`).join("");
}

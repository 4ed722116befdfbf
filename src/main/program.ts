import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

/** What launchers, static servers and the edge are started with, besides Node itself. */
export const entry = fileURLToPath(new URL("../main.ts", import.meta.url));

export function readVersion(): string {
  const text = readFileSync(new URL("../../package.json", import.meta.url), "utf8");
  const found = /"version": "([^"]+)"/.exec(text)?.[1];
  if (found === undefined) throw new Error("package.json names no version");
  return found;
}

import { readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { Fault } from "../faults/fault.ts";
import { isPlainFile } from "./inside.ts";

/** What we use of a package.json. */
export interface Manifest {
  readonly scripts: ReadonlyMap<string, string>;
  readonly main: string | null;
  /** `pnpm@9.1.0`, as corepack reads it. */
  readonly packageManager: string | null;
}

const MOST_BYTES = 1024 * 1024;

const shape = z.looseObject({
  scripts: z.record(z.string(), z.unknown()).optional(),
  main: z.unknown().optional(),
  packageManager: z.unknown().optional(),
});

/** null when there is none. Throws `BUILD_FAILED` when it is too large or no JSON object: guessing on would deploy something else. */
export async function readManifest(directory: string): Promise<Manifest | null> {
  if (!(await isPlainFile(directory, "package.json"))) return null;
  const path = join(directory, "package.json");
  if ((await stat(path)).size > MOST_BYTES) throw unusable("it is larger than 1 MB");
  const parsed = shape.safeParse(parseJson(await readFile(path, "utf8")));
  if (!parsed.success) throw unusable("it is not an object with scripts");
  const { scripts = {}, main, packageManager } = parsed.data;
  const entries = Object.entries(scripts).filter(
    (entry): entry is [string, string] => typeof entry[1] === "string",
  );
  return {
    scripts: new Map(entries),
    main: typeof main === "string" ? main : null,
    packageManager: typeof packageManager === "string" ? packageManager : null,
  };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text.replace(/^\uFEFF/, ""));
  } catch (error) {
    throw unusable(error instanceof Error ? error.message : "it is no JSON");
  }
}

function unusable(why: string): Fault {
  return Fault.of("BUILD_FAILED", "", { message: `package.json cannot be used: ${why}` });
}

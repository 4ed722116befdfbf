import { z } from "zod";
import { Fault } from "../faults/fault.ts";
import type { BuildSettings } from "./apps.ts";

const word = z
  .string()
  .max(4096)
  .refine((text) => !text.includes("\0"));
const argv = z
  .array(word)
  .min(1)
  .max(100)
  .refine((words) => words[0] !== "");
/** Relative, without `..`: checked again, with links resolved, where it is used. */
const folder = z
  .string()
  .min(1)
  .max(1024)
  .refine((path) => !path.startsWith("/") && !path.includes("\\") && !path.includes("\0"))
  .refine((path) => !path.split("/").includes(".."));

const schema = z.strictObject({
  kind: z.enum(["static", "node"]).optional(),
  root: folder.optional(),
  install: argv.optional(),
  build: argv.optional(),
  start: argv.optional(),
  output: folder.optional(),
});

/** Settings as a person gave them, or as the row holds them. Throws `BAD_REQUEST` naming the fields. */
export function parseBuildSettings(value: unknown): BuildSettings {
  const parsed = schema.safeParse(value);
  if (parsed.success) return withoutUndefined(parsed.data);
  const fields = parsed.error.issues.map((issue) => issue.path.join(".") || "build").join(", ");
  throw Fault.of("BAD_REQUEST", "invalid", { message: `The build settings are not usable: ${fields}` });
}

function withoutUndefined(data: z.infer<typeof schema>): BuildSettings {
  const { kind, root, install, build, start, output } = data;
  return {
    ...(kind === undefined ? {} : { kind }),
    ...(root === undefined ? {} : { root }),
    ...(install === undefined ? {} : { install }),
    ...(build === undefined ? {} : { build }),
    ...(start === undefined ? {} : { start }),
    ...(output === undefined ? {} : { output }),
  };
}

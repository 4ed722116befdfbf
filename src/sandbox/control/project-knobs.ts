import { z } from "zod";

const visibility = z.enum(["private", "internal", "public"]);

/** How imports by URL and from templates go. */
export const imports = z.strictObject({
  unreachable: z.boolean().default(false).describe("GitLab can reach no `import_url`: 422 since 14.8"),
  blocked: z.boolean().default(false).describe("every `import_url` is one that GitLab may not call"),
  failHalfWay: z.boolean().default(false).describe("imports start and then end as `failed`"),
  stepMs: z
    .int()
    .min(0)
    .max(3_600_000)
    .default(0)
    .describe("milliseconds that an import stays `scheduled`, and then `started`"),
});

/** Admin settings about projects and groups. */
export const projectSettings = {
  importSources: z
    .array(z.string().min(1).max(64))
    .nullable()
    .default(null)
    .describe("`git` is import by URL; null: as a fresh GitLab has it, all before 16.0 and none since"),
  restrictedVisibilityLevels: z
    .array(visibility)
    .default([])
    .describe("nobody but administrators may give these to a project or group"),
  defaultProjectVisibility: visibility.default("private").describe("of new projects that ask for none"),
  defaultBranchName: z
    .string()
    .min(1)
    .max(244)
    .nullable()
    .default(null)
    .describe("first branch of projects made by the API; null: `main`, before 14.0 `master`"),
  canCreateGroup: z.boolean().default(true).describe("users may create groups at the top"),
};

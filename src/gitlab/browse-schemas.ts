import { z } from "zod";
import type { Group, ListedBranch, Namespace, TreeEntry } from "./browse.ts";
import { commitSchema } from "./schemas.ts";

/** The lists that people choose from; as loose as `schemas.ts`. */
const id = z.int().positive();
const text = z.string().nullish();
const flag = z
  .boolean()
  .nullish()
  .transform((value) => value ?? false);

export const groupSchema = z
  .object({
    id,
    full_path: text,
    path: z.string(),
    name: text,
    web_url: text,
    parent_id: z.int().nullish(),
    marked_for_deletion_on: text,
    project_creation_level: text,
  })
  .transform((group): Group => ({
    id: group.id,
    path: group.full_path ?? group.path,
    name: group.name ?? group.path,
    webUrl: group.web_url ?? "",
    parentId: group.parent_id ?? null,
    pendingDeletion: Boolean(group.marked_for_deletion_on),
    projectCreation: group.project_creation_level ?? "unknown",
  }));

export const namespaceSchema = z
  .object({
    id,
    full_path: text,
    path: z.string(),
    kind: z.enum(["user", "group", "unknown"]).catch("unknown"),
  })
  .transform((namespace): Namespace => ({
    id: namespace.id,
    path: namespace.full_path ?? namespace.path,
    kind: namespace.kind,
  }));

export const memberSchema = z.object({ access_level: z.int() });

export const listedBranchSchema = z
  .object({ name: z.string(), commit: commitSchema, default: flag, protected: flag })
  .transform((branch): ListedBranch => ({
    name: branch.name,
    commit: branch.commit,
    isDefault: branch.default,
    isProtected: branch.protected,
  }));

export const treeEntrySchema = z
  .object({
    id: z.string(),
    name: z.string(),
    path: z.string(),
    type: z.enum(["tree", "blob", "commit", "unknown"]).catch("unknown"),
    mode: text,
  })
  .transform((entry): TreeEntry => ({
    name: entry.name,
    path: entry.path,
    type: entry.type,
    sha: entry.id,
    mode: entry.mode ?? "",
  }));

/** A file, or a blob by its id: both carry their content in base64. */
export const contentSchema = z.object({ encoding: z.literal("base64"), content: z.string() });

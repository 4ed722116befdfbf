import { z } from "zod";
import { commaSeparated, date, dateTime, flag, integer, integerOf, oneOf, text } from "../params.ts";

export const visibility = oneOf(["private", "internal", "public"]);

/** Grape's `DateTime`, in milliseconds since the epoch. */
const instant = dateTime.transform((value) => Date.parse(value));

/** A list of words, or words with commas between them. */
export const words = commaSeparated.transform((list) => list.filter((word) => word !== ""));

/** `Array[Integer]`: a list, or numbers with commas between them. */
export const integers = z.union([
  z.array(integer),
  commaSeparated.pipe(
    z.array(
      z
        .string()
        .regex(/^\d{1,15}$/)
        .transform(Number),
    ),
  ),
]);

export const minAccessLevel = integerOf([5, 10, 15, 20, 30, 40, 50]);

/** What lists of projects are narrowed by, whosever they are. */
export const projectFilters = {
  order_by: oneOf([
    "id",
    "name",
    "path",
    "created_at",
    "updated_at",
    "last_activity_at",
    "similarity",
    "star_count",
    "repository_size",
    "storage_size",
    "packages_size",
    "wiki_size",
  ]).optional(),
  sort: oneOf(["asc", "desc"]).optional(),
  archived: flag.optional(),
  active: flag.optional(),
  visibility: visibility.optional(),
  search: text.optional(),
  search_namespaces: flag.optional(),
  owned: flag.optional(),
  starred: flag.optional(),
  imported: flag.optional(),
  membership: flag.optional(),
  min_access_level: minAccessLevel.optional(),
  topic: words.optional(),
  with_issues_enabled: flag.optional(),
  with_merge_requests_enabled: flag.optional(),
  with_programming_language: text.optional(),
  id_after: integer.optional(),
  id_before: integer.optional(),
  last_activity_after: instant.optional(),
  last_activity_before: instant.optional(),
  updated_after: instant.optional(),
  updated_before: instant.optional(),
  include_pending_delete: flag.optional(),
  marked_for_deletion_on: date.optional(),
  simple: flag.optional(),
  statistics: flag.optional(),
};

const shape = z.object(projectFilters);
export type ProjectFilters = z.output<typeof shape>;

import type { Diff } from "../git/diff.ts";
import type { Version } from "../versions.ts";

/** One entry of a diff as this version tells it; with `unidiff` git's own two lines come before the hunks. */
export function presentDiff(version: Version, diff: Diff, unidiff: boolean): Record<string, unknown> {
  const { collapsed, too_large, generated_file, ...rest } = diff;
  return {
    ...rest,
    diff: unidiff && diff.diff.startsWith("@@") ? headOf(diff) + diff.diff : diff.diff,
    ...(version.has("diffsNameGeneratedFiles") ? { generated_file } : {}),
    ...(version.has("diffsTellWhatIsLeftOut") ? { collapsed, too_large } : {}),
  };
}

function headOf(diff: Diff): string {
  const from = diff.new_file ? "/dev/null" : `a/${diff.old_path}`;
  const to = diff.deleted_file ? "/dev/null" : `b/${diff.new_path}`;
  return `--- ${from}\n+++ ${to}\n`;
}

import type { Project } from "../state.ts";
import { findMergeBase } from "./merge-base.ts";
import type { Repositories } from "./repositories.ts";

export interface Diff {
  readonly old_path: string;
  readonly new_path: string;
  readonly a_mode: string;
  readonly b_mode: string;
  readonly new_file: boolean;
  readonly renamed_file: boolean;
  readonly deleted_file: boolean;
  readonly generated_file: false;
  readonly diff: string;
  readonly collapsed: boolean;
  readonly too_large: boolean;
}

/** GitLab's `diff_max_files`: what is beyond is left out. */
const MAX_FILES = 1000;
/** GitLab's `diff_max_patch_bytes`: a larger text is left out of its entry. */
const MAX_PATCH = 200 * 1024;

/** What differs between two commits; without `straight` since they parted. Nothing when they share no history. */
export async function readDiffs(
  box: Repositories,
  project: Project,
  from: string,
  to: string,
  straight: boolean,
): Promise<Diff[]> {
  const base = straight ? from : await findMergeBase(box, project, [from, to]);
  if (base === null) return [];
  const raw = (await box.git(project, ["diff", "--raw", "-z", "-M", "--abbrev=40", base, to, "--"])).split(
    "\0",
  );
  const text = await box.git(project, ["diff", "-M", "--no-color", "--no-ext-diff", base, to, "--"]);
  const patches = text.split(/^(?=diff --git )/m).map(hunksOf);
  return parseRaw(raw)
    .slice(0, MAX_FILES)
    .map((change, index) => entry(change, patches[index] ?? ""));
}

interface Change {
  readonly status: string;
  readonly aMode: string;
  readonly bMode: string;
  readonly oldPath: string;
  readonly newPath: string;
}

/** `:100644 100644 <sha> <sha> M` and one path, of a rename two. */
function parseRaw(fields: readonly string[]): Change[] {
  const changes: Change[] = [];
  for (let at = 0; at + 1 < fields.length;) {
    const [aMode = "", bMode = "", , , status = ""] = (fields[at] ?? "").slice(1).split(" ");
    const oldPath = fields[at + 1] ?? "";
    const moved = /^[RC]/.test(status);
    changes.push({ status, aMode, bMode, oldPath, newPath: moved ? (fields[at + 2] ?? "") : oldPath });
    at += moved ? 3 : 2;
  }
  return changes;
}

function entry({ status, aMode, bMode, oldPath, newPath }: Change, patch: string): Diff {
  const tooLarge = patch.length > MAX_PATCH;
  return {
    old_path: oldPath,
    new_path: newPath,
    a_mode: status === "A" ? "0" : aMode,
    b_mode: status === "D" ? "0" : bMode,
    new_file: status === "A",
    renamed_file: status.startsWith("R"),
    deleted_file: status === "D",
    generated_file: false,
    diff: tooLarge ? "" : patch,
    collapsed: false,
    too_large: tooLarge,
  };
}

/** GitLab gives the hunks without git's header. */
function hunksOf(patch: string): string {
  const start = patch.search(/^@@ /m);
  if (start !== -1) return patch.slice(start);
  return /^Binary files .*$/m.exec(patch)?.[0].concat("\n") ?? "";
}

import { refuse } from "../reply.ts";
import type { TreeEntry } from "./read.ts";
import { isFilePath, type FileChange } from "./write.ts";

/** One thing that a commit through the API does to a file. */
export interface FileAction {
  readonly action: "create" | "update" | "delete" | "move" | "chmod";
  readonly path: string;
  readonly previousPath?: string | undefined;
  /** undefined: what the file held before. */
  readonly content?: Uint8Array | undefined;
  readonly executable?: boolean | undefined;
}

type Files = Map<string, Pick<TreeEntry, "id" | "mode">>;

const EXISTS = "A file with this name already exists";
const MISSING = "A file with this name doesn't exist";
const TRAVERSAL = "Path cannot include directory traversal";

/**
 * Plays actions on the files of a commit, one after another, with Gitaly's refusals. A file that was written in the same commit has an
 * empty id: its content is nowhere yet.
 */
export function playActions(
  entries: readonly TreeEntry[],
  actions: readonly FileAction[],
): readonly FileChange[] {
  const files: Files = new Map(
    entries.filter(({ type }) => type === "blob").map((entry) => [entry.path, entry]),
  );
  const changes: FileChange[] = [];
  for (const action of actions) {
    for (const path of [action.path, ...(action.action === "move" ? [action.previousPath ?? ""] : [])]) {
      if (!isFilePath(path)) throw refuse(400, TRAVERSAL);
    }
    changes.push(...PLAYS[action.action](files, action));
  }
  return changes;
}

type Play = (files: Files, action: FileAction) => FileChange[];

const PLAYS: Readonly<Record<FileAction["action"], Play>> = {
  create: (files, action) => {
    if (isTaken(files, action.path)) throw refuse(400, EXISTS);
    return write(files, action, action.executable ?? false);
  },
  update: (files, action) => write(files, action, action.executable ?? isExecutable(get(files, action.path))),
  delete: (files, { path }) => {
    get(files, path);
    files.delete(path);
    return [{ path, content: null }];
  },
  move: (files, action) => {
    const { path, previousPath = "" } = action;
    const old = get(files, previousPath);
    if (isTaken(files, path)) throw refuse(400, EXISTS);
    files.delete(previousPath);
    const executable = action.executable ?? isExecutable(old);
    const gone: FileChange = { path: previousPath, content: null };
    if (action.content !== undefined) return [gone, ...write(files, action, executable)];
    files.set(path, old);
    return [gone, { path, blob: old.id, executable }];
  },
  chmod: (files, { path, executable = false }) => {
    const old = get(files, path);
    files.set(path, { ...old, mode: executable ? "100755" : "100644" });
    return [{ path, blob: old.id, executable }];
  },
};

function get(files: Files, path: string): Pick<TreeEntry, "id" | "mode"> {
  const file = files.get(path);
  if (!file) throw refuse(400, MISSING);
  return file;
}

function write(files: Files, { path, content }: FileAction, executable: boolean): FileChange[] {
  files.set(path, { id: "", mode: executable ? "100755" : "100644" });
  return [{ path, content: content ?? new Uint8Array(), executable }];
}

/** Also by a folder of that name, or by a file where a folder would have to be. */
function isTaken(files: Files, path: string): boolean {
  const parents = path.split("/").map((_part, index, parts) => parts.slice(0, index + 1).join("/"));
  if (parents.some((parent) => files.has(parent))) return true;
  return [...files.keys()].some((file) => file.startsWith(`${path}/`));
}

function isExecutable({ mode }: Pick<TreeEntry, "mode">): boolean {
  return mode === "100755";
}

import type { Service } from "../git/permission.ts";

export type ShellCommand =
  | { readonly kind: "welcome" }
  | { readonly kind: "git"; readonly service: Service | "git-upload-archive"; readonly fullPath: string }
  | { readonly kind: "lfs"; readonly fullPath: string; readonly service: Service }
  | { readonly kind: "disallowed" };

const DISALLOWED = { kind: "disallowed" } as const;

/** Reads what a client asked `ssh` to run, as gitlab-shell does: `git-upload-pack '/group/project.git'`. */
export function parseShellCommand(text: string): ShellCommand {
  const words = splitWords(text.trim());
  if (words === null) return DISALLOWED;
  if (words.length === 0) return { kind: "welcome" };
  const [first = "", ...rest] = words[0] === "git" ? [`git-${words[1]}`, ...words.slice(2)] : words;
  const fullPath = (rest[0] ?? "").replace(/^\/+/, "").replace(/\.git$/, "");
  if (fullPath === "") return DISALLOWED;
  switch (first) {
    case "git-upload-pack":
    case "git-receive-pack":
    case "git-upload-archive":
      return rest.length === 1 ? { kind: "git", service: first, fullPath } : DISALLOWED;
    case "git-lfs-authenticate":
      return lfs(fullPath, rest[1]);
    default:
      return DISALLOWED;
  }
}

function lfs(fullPath: string, operation: string | undefined): ShellCommand {
  if (operation === "download") return { kind: "lfs", fullPath, service: "git-upload-pack" };
  if (operation === "upload") return { kind: "lfs", fullPath, service: "git-receive-pack" };
  return DISALLOWED;
}

/** Words of a shell with its quotes and backslashes, and nothing else of it; null when a quote stays open. */
function splitWords(text: string): string[] | null {
  const words: string[] = [];
  const piece = /\s*((?:'[^']*'|"(?:\\.|[^"\\])*"|\\.|[^\s'"\\])+)/gsy;
  while (piece.lastIndex < text.length) {
    const found = piece.exec(text);
    if (!found) return null;
    words.push(unquote(found[1] ?? ""));
  }
  return words;
}

function unquote(word: string): string {
  return word.replaceAll(
    /'([^']*)'|"((?:\\.|[^"\\])*)"|\\(.)/gs,
    (_all, single?: string, double?: string, escaped?: string) =>
      single ?? double?.replaceAll(/\\(["\\$`])/g, "$1") ?? escaped ?? "",
  );
}

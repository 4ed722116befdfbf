const PATH_FORMAT =
  "can contain only letters, digits, '_', '-' and '.'. Cannot start with '-', end in '.git' or end in '.atom'";
const STRICT_PATH_FORMAT =
  "can only include non-accented letters, digits, '_', '-' and '.'. It must not start with '-', '_', or '.', nor end with '-', '_', '.', '.git', or '.atom'.";
const NAME_FORMAT =
  "can contain only letters, digits, emoji, '_', '.', '+', dashes, or spaces. It must start with a letter, digit, emoji, or '_'.";

/** Words that mean something after `group/project/` or at the root; a project of that name could not be reached. */
const RESERVED = new Set([
  "-",
  "badges",
  "blame",
  "blob",
  "builds",
  "commits",
  "create",
  "create_dir",
  "edit",
  "environments/folders",
  "files",
  "find_file",
  "gitlab-lfs/objects",
  "info/lfs/objects",
  "new",
  "preview",
  "raw",
  "refs",
  "tree",
  "update",
  "wikis",
]);
const RESERVED_AT_ROOT = new Set([
  "-",
  "admin",
  "api",
  "assets",
  "dashboard",
  "explore",
  "files",
  "groups",
  "health_check",
  "help",
  "import",
  "jwt",
  "login",
  "oauth",
  "profile",
  "projects",
  "public",
  "robots.txt",
  "s",
  "search",
  "sitemap",
  "uploads",
  "users",
  "v2",
]);

/** What GitLab has against the path of a new project. */
export function problemsOfPath(path: string, strict: boolean): string[] {
  const loose =
    /^[a-zA-Z0-9_.][a-zA-Z0-9_\-.]*$/.test(path) && !/\.(git|atom)$/.test(path) && !/^\.{1,2}$/.test(path);
  const tight = /^[a-zA-Z0-9]+([._-]+[a-zA-Z0-9]+)*$/.test(path) && !/\.(git|atom)$/.test(path);
  return [
    ...(loose ? [] : [PATH_FORMAT]),
    ...(tight || !strict ? [] : [STRICT_PATH_FORMAT]),
    ...(RESERVED.has(path.toLowerCase()) ? [`${path} is a reserved name`] : []),
    ...(path.length > 255 ? ["is too long (maximum is 255 characters)"] : []),
  ];
}

export function problemsOfName(name: string): string[] {
  if (name.length > 255) return ["is too long (maximum is 255 characters)"];
  return /^[\p{Alphabetic}\p{Nd}\u{00A9}-\u{1f9ff}_][\p{Alphabetic}\p{Nd}\p{Pd}+\u{00A9}-\u{1f9ff}_. ]*$/u.test(
    name,
  )
    ? []
    : [NAME_FORMAT];
}

/** Paths of users and groups. */
export function isNamespacePath(path: string): boolean {
  return (
    /^[a-zA-Z0-9_.][a-zA-Z0-9_\-.]{0,253}[a-zA-Z0-9_-]$|^[a-zA-Z0-9_]$/.test(path) &&
    !/\.(git|atom)$/.test(path) &&
    !RESERVED_AT_ROOT.has(path.toLowerCase())
  );
}

/** A path for a name, as GitLab makes one. */
export function slug(name: string): string {
  return name
    .normalize("NFKD")
    .replaceAll(/[\u0300-\u036f]/g, "")
    .toLowerCase()
    .replaceAll(/[^a-z0-9_.]+/g, "-")
    .replaceAll(/^[-_.]+|[-_.]+$/g, "");
}

/** Whether git takes this as the name of a branch (`git check-ref-format`). */
export function isBranchName(name: string): boolean {
  if (name === "" || name === "HEAD" || name.startsWith("-") || name.length > 244) return false;
  // oxlint-disable-next-line no-control-regex -- git forbids exactly these
  if (/[\u0000-\u0020\u007f~^:?*[\\]|\.\.|@\{|\/\/|^\/|\/$|\.$/.test(name)) return false;
  return name.split("/").every((part) => !part.startsWith(".") && !part.endsWith(".lock"));
}

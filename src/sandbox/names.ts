const PATH_FORMAT =
  "can contain only letters, digits, '_', '-' and '.'. Cannot start with '-', end in '.git' or end in '.atom'";
const STRICT_PATH_FORMAT =
  "can only include non-accented letters, digits, '_', '-' and '.'. It must not start with '-', '_', or '.', nor end with '-', '_', '.', '.git', or '.atom'.";
const NAME_FORMAT =
  "can contain only letters, digits, emoji, '_', '.', '+', dashes, or spaces. It must start with a letter, digit, emoji, or '_'.";
const OLD_NAME_FORMAT =
  "can contain only letters, digits, emojis, '_', '.', dash, space. It must start with letter, digit, emoji or '_'.";
const GROUP_NAME_FORMAT =
  "can contain only letters, digits, emoji, '_', '.', dash, space, parenthesis. It must start with letter, digit, emoji or '_'.";
const NAMESPACE_FORMAT =
  "can contain only letters, digits, '_', '-' and '.'. Cannot start with '-' or end in '.', '.git' or '.atom'.";
const BLANK = "can't be blank";
const TOO_LONG = "is too long (maximum is 255 characters)";

const NAME =
  /^[\p{Alphabetic}\p{Nd}\u{00A9}-\u{1f9ff}_][\p{Alphabetic}\p{Nd}\p{Pd}+\u{00A9}-\u{1f9ff}_. ]*$/u;
const OLD_NAME =
  /^[\p{Alphabetic}\p{Nd}\u{00A9}-\u{1f9ff}_][\p{Alphabetic}\p{Nd}\p{Pd}\u{00A9}-\u{1f9ff}_. ]*$/u;
const GROUP_NAME =
  /^[\p{Alphabetic}\p{Nd}\u{00A9}-\u{1f9ff}_][\p{Alphabetic}\p{Nd}\p{Pd}\u{00A9}-\u{1f9ff}_()., ]*$/u;

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
    ...(path === "" ? [BLANK] : []),
    ...(loose ? [] : [PATH_FORMAT]),
    ...(tight || !strict ? [] : [STRICT_PATH_FORMAT]),
    ...(RESERVED.has(path.toLowerCase()) ? [`${path} is a reserved name`] : []),
    ...(path.length > 255 ? [TOO_LONG] : []),
  ];
}

/** `plus`: newer versions also take `+`, and say so. */
export function problemsOfName(name: string, plus: boolean): string[] {
  if (name.trim() === "") return [BLANK, plus ? NAME_FORMAT : OLD_NAME_FORMAT];
  if (lengthOf(name) > 255) return [TOO_LONG];
  const format = plus ? NAME : OLD_NAME;
  return format.test(name) ? [] : [plus ? NAME_FORMAT : OLD_NAME_FORMAT];
}

/** In characters, as PostgreSQL counts. */
function lengthOf(text: string): number {
  return Array.from(text).length;
}

/** What GitLab has against the name of a group. */
export function problemsOfGroupName(name: string): string[] {
  if (name.trim() === "") return [BLANK];
  if (lengthOf(name) > 255) return [TOO_LONG];
  return GROUP_NAME.test(name) ? [] : [GROUP_NAME_FORMAT];
}

/** What GitLab has against the path of a group. */
export function problemsOfGroupPath(path: string, atRoot: boolean): string[] {
  if (path === "") return [BLANK];
  const reserved = (atRoot ? RESERVED_AT_ROOT : RESERVED).has(path.toLowerCase());
  return [
    ...(isNamespaceFormat(path) ? [] : [NAMESPACE_FORMAT]),
    ...(reserved ? [`${path} is a reserved name`] : []),
    ...(path.length > 255 ? [TOO_LONG] : []),
  ];
}

/** Paths of users and groups. */
export function isNamespacePath(path: string): boolean {
  return isNamespaceFormat(path) && path.length <= 255 && !RESERVED_AT_ROOT.has(path.toLowerCase());
}

function isNamespaceFormat(path: string): boolean {
  return (
    /^[a-zA-Z0-9_.][a-zA-Z0-9_\-.]*[a-zA-Z0-9_-]$|^[a-zA-Z0-9_]$/.test(path) && !/\.(git|atom)$/.test(path)
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

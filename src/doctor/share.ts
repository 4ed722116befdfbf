import type { Check, Diagnosis, DiagnosisError } from "./diagnosis.ts";
import { namesIn, URLS, type Names } from "./share-names.ts";

/**
 * The same diagnosis for strangers to read: hosts, addresses, users, projects and names of authorities are replaced, each always by the same word, so
 * that what belongs together still does. Words of GitLab's own (codes, menus, versions) stay.
 */
export function shareDiagnosis(diagnosis: Diagnosis): Diagnosis {
  const hide = createHider(namesIn(diagnosis));
  const { instance, token, checks, error } = diagnosis;
  return {
    ...diagnosis,
    instance: { ...instance, url: hide(instance.url) },
    token: token && {
      ...token,
      name: token.name === null ? null : "[name]",
      user: token.user === null ? null : hide(`@${token.user}`).slice(1),
    },
    checks: checks.map((check): Check => ({
      ...check,
      title: hide(check.title),
      evidence: check.evidence === null ? null : hide(check.evidence),
      fix: check.fix === null ? null : hide(check.fix),
    })),
    error: error && hideError(error, hide),
  };
}

type Hide = (text: string) => string;

function hideError(error: DiagnosisError, hide: Hide): DiagnosisError {
  const evidence = Object.entries(error.evidence).map(
    ([name, value]): [string, string | number | undefined] => [
      name,
      typeof value === "string" ? hide(value) : value,
    ],
  );
  return {
    ...error,
    title: hide(error.title),
    cause: hide(error.cause),
    fix: error.fix.map(hide),
    evidence: Object.fromEntries(evidence),
  };
}

const QUOTED = /“([^”]+)”/g;

function createHider({ hosts, words, tokenName }: Names): Hide {
  const given = new Map<string, string>();
  const counts = new Map<string, number>();
  const nameFor = (key: string, kind: string): string => {
    const known = given.get(`${kind} ${key}`);
    if (known !== undefined) return known;
    const count = (counts.get(kind) ?? 0) + 1;
    counts.set(kind, count);
    const name = kind === "host" ? `host-${count}.example` : `${kind}-${count}`;
    given.set(`${kind} ${key}`, name);
    return name;
  };
  const byLength = [...words].sort(([one], [other]) => other.length - one.length);
  const hostsByLength = [...hosts].filter((host) => !isHarmless(host)).sort((a, b) => b.length - a.length);
  const hideHosts: Hide = (text) =>
    hostsByLength.reduce(
      (rest, host) =>
        rest.replace(new RegExp(`(?<![\\w-])${literally(host)}(?![\\w-])`, "gi"), () =>
          nameFor(host, "host"),
        ),
      text,
    );
  const hideWords: Hide = (text) =>
    byLength.reduce(
      (rest, [word, kind]) => rest.replace(asWord(word), () => nameFor(word, kind)),
      text.replace(QUOTED, (quoted, name: string) => (name === tokenName ? "“[name]”" : quoted)),
    );
  const hideAddresses: Hide = (text) =>
    text
      .replace(/(?<![\d.])(?!127\.)\d{1,3}(\.\d{1,3}){3}(?![\d.])/g, (ip) => nameFor(ip, "address"))
      .replace(/(?<![\w:.])(?!::1\b)(?:[0-9a-f]{0,4}:){3,7}[0-9a-f]{1,4}(?![\w:])/gi, (ip) =>
        nameFor(ip, "address"),
      );
  const hideUsers: Hide = (text) =>
    text.replace(/(?<![\w.])@([\w.-]*\w)/g, (_, user: string) => `@${nameFor(user, "user")}`);
  const hidePaths: Hide = (text) => text.replace(URLS, (url) => hidePath(url, nameFor));
  return (text) => hideAddresses(hideHosts(hideWords(hideUsers(hidePaths(text)))));
}

/** A user may be called `ann`: that must not be cut out of other words. */
function asWord(word: string): RegExp {
  return new RegExp(`(?<![\\p{L}\\p{N}_-])${escapeWord(word)}(?![\\p{L}\\p{N}_-])`, "gu");
}

/** As `literally`, for patterns with the flag `u`, which knows fewer escapes. */
function escapeWord(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|/]/g, String.raw`\$&`);
}

function literally(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|/-]/g, String.raw`\$&`);
}

function isHarmless(host: string): boolean {
  return ["localhost", "127.0.0.1", "[::1]", "security-tracker.debian.org"].includes(host);
}

/** Pages of GitLab that are the same everywhere; what stands before `/-/` is a project or a sub-path. */
const PAGES =
  /^(?:.*?)(\/-\/.*|\/admin\/.*|\/api\/v4.*|\/users\/sign_in.*|\/profile\/personal_access_tokens.*|\/help\/.*|\/hooks\/gitlab.*)$/;

function hidePath(url: string, nameFor: (key: string, kind: string) => string): string {
  if (!URL.canParse(url)) return "[address]";
  const { origin, pathname, search } = new URL(url);
  if (/security-tracker/.test(origin) || pathname === "/") return url;
  const page = PAGES.exec(pathname)?.[1] ?? "";
  const before = page === "" ? pathname : pathname.slice(0, pathname.length - page.length);
  const path = before === "" ? "" : `/${nameFor(before, "path")}`;
  return `${origin}${path}${page.replace(/^(\/hooks\/gitlab\/).*$/, "$1…")}${search}`;
}

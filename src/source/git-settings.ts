import type { Secret } from "../kernel/secret.ts";

/**
 * Settings of every git we start, given as `-c`: nothing is ever stored in a mirror's config, and `GIT_CONFIG_COUNT` would be silently
 * ignored by git 2.30. `fetch.fsckObjects` stays off: it refuses old histories with harmless faults; what matters here,
 * paths such as `.git`, git refuses anyway when it writes the tree.
 */
const ALWAYS: readonly string[] = [
  "core.hooksPath=/dev/null",
  "core.fsmonitor=false",
  "core.untrackedCache=false",
  "core.splitIndex=false",
  "core.symlinks=true",
  "core.fileMode=true",
  "core.autocrlf=false",
  "core.logAllRefUpdates=false",
  "core.askPass=",
  "credential.helper=",
  "protocol.version=2",
  "protocol.file.allow=never",
  "http.followRedirects=false",
  "http.sslVerify=true",
  // a connection that gives less than 1 byte/s for a minute is dead
  "http.lowSpeedLimit=1",
  "http.lowSpeedTime=60",
  "submodule.recurse=false",
  "fetch.recurseSubmodules=false",
  // small fetches too stay packs: a pack appears whole or not at all, loose objects one by one, commits before their trees
  "transfer.unpackLimit=1",
  "transfer.bundleURI=false",
  "log.showSignature=false",
  "i18n.logOutputEncoding=UTF-8",
  "gc.auto=0",
  "gc.autoDetach=false",
  "maintenance.auto=false",
];

/**
 * Answers git's question for a credential from descriptor 3, once, and only for the origin given. git asks with
 * `protocol=` and `host=` on standard input.
 */
const HELPER = `!f() {
  test "$1" = get || exit 0
  while IFS= read -r line && test -n "$line"; do
    case "$line" in protocol=*) protocol=\${line#*=};; host=*) host=\${line#*=};; esac
  done
  test "$protocol://$host" = "$FAIRLEAD_GIT_ORIGIN" && cat <&3
}; f`;

export function settingsWords(extra: readonly string[]): string[] {
  return [...ALWAYS, ...extra].flatMap((setting) => ["-c", setting]);
}

/** What the remote's transport needs besides: who may answer for credentials, whom to trust. No secret. */
export function remoteSettings(caFile: string | null): string[] {
  return [`credential.helper=${HELPER}`, ...(caFile === null ? [] : [`http.sslCAInfo=${caFile}`])];
}

export interface Places {
  readonly gitDir: string;
  readonly workTree?: string;
  readonly index?: string;
}

/** git's whole environment: no file of the machine or the user is read, nothing can ask a person. */
export function gitEnvironment(
  searchPath: string,
  places: Places | null,
  extra: Readonly<Record<string, string>>,
): Record<string, string> {
  return {
    PATH: searchPath,
    LC_ALL: "C",
    HOME: "/dev/null", // also keeps curl from a .netrc
    XDG_CONFIG_HOME: "/dev/null",
    GIT_CONFIG_NOSYSTEM: "1",
    GIT_CONFIG_GLOBAL: "/dev/null",
    GIT_ATTR_NOSYSTEM: "1",
    GIT_TERMINAL_PROMPT: "0",
    GIT_ALLOW_PROTOCOL: "https:http",
    GIT_NO_REPLACE_OBJECTS: "1",
    GIT_ADVICE: "0",
    ...(places === null ? {} : { GIT_DIR: places.gitDir }),
    ...(places?.workTree === undefined ? {} : { GIT_WORK_TREE: places.workTree }),
    ...(places?.index === undefined ? {} : { GIT_INDEX_FILE: places.index }),
    ...extra,
  };
}

/** What the helper hands to git. A line break would smuggle further answers in. */
export function credentialAnswer(token: Secret): string | null {
  const value = token.reveal();
  return /[\r\n\0]/.test(value) || value === "" ? null : `username=oauth2\npassword=${value}\n`;
}

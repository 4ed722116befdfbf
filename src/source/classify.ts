import type { FaultCode, FaultReason } from "../faults/codes.ts";
import { Fault, type Evidence, type FaultDetails } from "../faults/fault.ts";
import type { RunError } from "../kernel/run.ts";

type Meaning = (evidence: Evidence) => Fault;

function meaning<C extends FaultCode>(code: C, reason: FaultReason<C>, more: FaultDetails = {}): Meaning {
  return (evidence) => Fault.of(code, reason, { ...more, evidence });
}

const again: FaultDetails = { retryable: true };

/**
 * What git printed as the fault it means; the first that fits counts. git's own words (LC_ALL=C) since 2.30, curl's with OpenSSL and with
 * GnuTLS, GitLab's since 10.5. The account before the token, role before scope (its text is the longer one), words before status.
 */
const MEANINGS: readonly (readonly [RegExp, Meaning])[] = [
  [/must accept the Terms of Service/, meaning("ACCOUNT_UNUSABLE", "terms")],
  [/account has been deactivated/, meaning("ACCOUNT_UNUSABLE", "deactivated")],
  [/account is pending approval/, meaning("ACCOUNT_UNUSABLE", "pending_approval")],
  [/account has been blocked/, meaning("ACCOUNT_UNUSABLE", "blocked")],
  [/password (has )?expired/, meaning("ACCOUNT_UNUSABLE", "password_expired")],
  [/email address is not confirmed/, meaning("ACCOUNT_UNUSABLE", "email_unconfirmed")],

  [/(Git access|Pulling) over HTTP is not allowed/, meaning("GIT_PROTOCOL_DISABLED", "")],
  [/not allowed to download code from this project/, meaning("GIT_ROLE_MISSING", "")],
  [/not allowed to download code|insufficient(_granular)?_scope/, meaning("GIT_SCOPE_MISSING", "")],
  [/push code to an archived project/, meaning("PROJECT_ARCHIVED", "")],
  [/not allowed to (force )?push code to (a )?protected branch/, meaning("INSUFFICIENT_ROLE", "")],
  [/not allowed to push code to this project/, meaning("GIT_ROLE_MISSING", "")],
  [/not allowed to upload code\b/, meaning("GIT_SCOPE_MISSING", "")],
  [/does not have write access to this project/, meaning("GIT_ROLE_MISSING", "")],
  [/HOST IDENTIFICATION HAS CHANGED|Host key verification failed/, meaning("GIT_HOST_KEY_CHANGED", "")],
  [/Permission denied \(publickey/, meaning("GIT_AUTH_FAILED", "")],
  [/HTTP Basic: Access denied|Authentication failed for/, meaning("GIT_AUTH_FAILED", "")],
  [/could not read (Username|Password) for|returned error: 401/, meaning("GIT_AUTH_FAILED", "")],
  [/not our ref|unadvertised object|find remote ref/i, meaning("GIT_FAILED", "commit_missing")],
  [/(project|namespace) you were looking for could not be found/, meaning("GIT_NOT_FOUND", "")],
  [/repository for this project does not exist yet/i, meaning("GIT_NOT_FOUND", "")],
  [/returned error: 404|^fatal: repository '[^']*' not found/m, meaning("GIT_NOT_FOUND", "")],
  [/is this a git repository\?/, meaning("GIT_NOT_FOUND", "")],

  [/returned error: 30[1278]|update url base from redirection/, meaning("REDIRECTED", "other_host")],
  [/returned error: 429|Retry later/, meaning("RATE_LIMITED", "", again)],
  [/read-only GitLab instance/, meaning("GITLAB_UNAVAILABLE", "read_only")],
  [/maintenance mode/i, meaning("GITLAB_UNAVAILABLE", "maintenance", again)],
  [/returned error: 502/, meaning("GITLAB_UNAVAILABLE", "bad_gateway", again)],
  [/returned error: 5\d\d|Gitaly, is not available/, meaning("GITLAB_UNAVAILABLE", "error", again)],

  [/certificate (has )?expired|expiration date has passed/i, meaning("TLS_UNTRUSTED", "expired")],
  [/certificate subject name|does not match target host/i, meaning("TLS_UNTRUSTED", "name_mismatch")],
  [/no alternative certificate|hostname mismatch/i, meaning("TLS_UNTRUSTED", "name_mismatch")],
  [/self[- ]signed certificate(?! in)/i, meaning("TLS_UNTRUSTED", "self_signed")],
  [/certificate verif|SSL certificate problem|local issuer/i, meaning("TLS_UNTRUSTED", "unknown_ca")],

  [/Could not resolve host/i, meaning("UNREACHABLE", "dns", again)],
  [/resolve proxy|CONNECT tunnel failed|Proxy CONNECT/i, meaning("UNREACHABLE", "proxy", again)],
  [/timed out|Operation too slow|Timeout was reached/i, meaning("UNREACHABLE", "timeout", again)],
  [/Failed to connect|Couldn't connect|Connection refused/i, meaning("UNREACHABLE", "refused", again)],
  [/No route to host|Network is unreachable/i, meaning("UNREACHABLE", "refused", again)],
  [/Connection reset|(Recv|Send) failure|Empty reply|early EOF/i, meaning("UNREACHABLE", "reset", again)],
  [/hung up unexpectedly|unexpected disconnect|transfer closed/i, meaning("UNREACHABLE", "reset", again)],
  [/not closed cleanly|SSL_ERROR|gnutls_handshake|SSL connect/i, meaning("UNREACHABLE", "reset", again)],

  [
    /remote-https?' is not a git command|remote helper for/,
    meaning("RUNTIME_UNAVAILABLE", "", { message: "This git cannot speak HTTP: install the full git" }),
  ],
  [
    /No space left on device|Disk quota exceeded/,
    meaning("GIT_FAILED", "", { message: "The disk is full", retryable: true }),
  ],
];

/**
 * The fault that a failed git means. `words` is what it printed, already free of secrets. `aborted` is the signal's reason when
 * it was stopped.
 */
export function classify(failure: RunError, words: string, host: string, aborted: unknown): Fault {
  const evidence: Evidence = { host, words: lastWords(words), ...statusIn(words) };
  if (failure.failure === "aborted") return stopped(aborted, evidence);
  if (failure.failure === "timeout") return Fault.of("GIT_FAILED", "timeout", { evidence, retryable: true });
  if (failure.failure === "not_found") {
    return Fault.of("RUNTIME_UNAVAILABLE", "", { evidence, message: "git does not start" });
  }
  const known = MEANINGS.find(([pattern]) => pattern.test(words));
  return known ? known[1](evidence) : Fault.of("GIT_FAILED", "", { evidence });
}

/** An aborted signal as a fault: a deadline is a timeout, everything else is somebody's wish. */
export function stopped(reason: unknown, evidence: Evidence = {}): Fault {
  const isDeadline = reason instanceof Error && reason.name === "TimeoutError";
  return isDeadline
    ? Fault.of("GIT_FAILED", "timeout", { evidence, retryable: true })
    : Fault.of("CANCELLED", "", { evidence, cause: reason });
}

/** Whether the local store, not the network, the disk's size or its rights, is why git failed: it may be thrown away. */
export function isDamage(failure: RunError): boolean {
  return failure.failure === "exit" && !NOT_DAMAGE.test(failure.stderr);
}

/** The disk, our rights, memory, and a commit with a path such as `.git`, which git refuses to write. */
const NOT_DAMAGE =
  /No space left|Disk quota|Permission denied|Read-only file system|Too many open files|annot allocate memory|out of memory|invalid path/i;

/** Whether it is the index of the workspace that is damaged, not the mirror. */
export function isDamagedIndex(words: string): boolean {
  return /index file|bad index|bad signature 0x|index uses|cache entry|unordered stage|unmerged index/i.test(
    words,
  );
}

/** Whether a fetch failed because of what is on our disk. Narrower than `isDamage`: most fetches fail because of the network. */
export function isDamagedStore(words: string): boolean {
  return DAMAGED_STORE.some((pattern) => pattern.test(words));
}

const DAMAGED_STORE: readonly RegExp[] = [
  /not a git repository|bad (config|ref) /,
  /is corrupt|object file \S+ is empty|inflate: data stream error/,
  /\.pack (cannot be accessed|does not match index|is far too short|claims to have)|bad pack/,
  /wrong index v\d|index file \S+ is (too small|corrupt)|unsupported \.idx|\.idx/,
  /bad object|error in object|not a valid object|missing (blob|tree|commit)|unable to read (tree|sha1)/,
  /did not send all necessary objects|unresolved deltas|invalid index-pack output/,
  /shallow file has changed|bad shallow line|bad signature/,
];

function statusIn(words: string): { readonly status?: number } {
  const status = /returned error: (\d{3})/.exec(words)?.[1];
  return status === undefined ? {} : { status: Number(status) };
}

/** The end of what was said, without git's hints: at most 2 KB. */
function lastWords(words: string): string {
  const lines = words.split("\n").filter((line) => line.trim() !== "" && !line.startsWith("hint:"));
  return lines.join("\n").slice(-2048);
}

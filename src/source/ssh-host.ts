import { createHash } from "node:crypto";
import { Fault } from "../faults/fault.ts";
import { run, RunError } from "../kernel/run.ts";

export interface SshAddress {
  readonly host: string;
  readonly port: number;
}

export interface HostKey {
  /** `ssh-ed25519` */
  readonly type: string;
  /** `SHA256:` and base64, as ssh shows it. */
  readonly fingerprint: string;
}

const HOST = /^[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?$|^[0-9a-f:]+$/i;

/** Host and port of `git@host:group/project.git` or `ssh://git@host:2222/group/project.git`; null for what is neither. */
export function parseSshAddress(url: string): SshAddress | null {
  const short = /^[\w.-]+@([^:/]+):(?!\/\/)/.exec(url)?.[1];
  if (short !== undefined) return HOST.test(short) ? { host: short, port: 22 } : null;
  if (!url.startsWith("ssh://") || !URL.canParse(url)) return null;
  const { hostname, port } = new URL(url);
  const host = hostname.replace(/^\[|\]$/g, "");
  return HOST.test(host) ? { host, port: port === "" ? 22 : Number(port) } : null;
}

/**
 * The keys by which an SSH server proves who it is. No user name and no key of ours is sent. Throws `UNREACHABLE` when none answers, and
 * `RUNTIME_UNAVAILABLE` without ssh-keyscan.
 */
export async function readHostKeys(
  { host, port }: SshAddress,
  searchPath: string,
  signal: AbortSignal,
): Promise<readonly HostKey[]> {
  const words = ["-T", "5", "-p", String(port), "-t", "ed25519,ecdsa,rsa", "--", host];
  const keys = await scan(words, { host: `${host}:${port}` }, searchPath, signal);
  if (keys.length > 0) return keys;
  throw Fault.of("UNREACHABLE", "refused", { evidence: { host: `${host}:${port}` }, retryable: true });
}

async function scan(
  words: readonly string[],
  evidence: { readonly host: string },
  searchPath: string,
  signal: AbortSignal,
): Promise<readonly HostKey[]> {
  try {
    const { stdout } = await run("ssh-keyscan", words, {
      env: { PATH: searchPath },
      timeoutMs: 9000,
      signal,
    });
    return stdout.split("\n").flatMap(parseLine);
  } catch (error) {
    if (!(error instanceof RunError)) throw error;
    if (error.failure === "not_found")
      throw Fault.of("RUNTIME_UNAVAILABLE", "", { message: "ssh-keyscan is not installed", evidence });
    const reason = error.failure === "exit" ? "refused" : "timeout";
    throw Fault.of("UNREACHABLE", reason, { evidence, retryable: true });
  }
}

function parseLine(line: string): HostKey[] {
  const [, type, key] = /^[^#\s]\S* (\S+) ([A-Za-z0-9+/=]+)$/.exec(line) ?? [];
  if (type === undefined || key === undefined) return [];
  const digest = createHash("sha256").update(Buffer.from(key, "base64")).digest("base64").replace(/=+$/, "");
  return [{ type, fingerprint: `SHA256:${digest}` }];
}

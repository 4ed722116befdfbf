import { createHash } from "node:crypto";
import { access, mkdir } from "node:fs/promises";
import { join } from "node:path";
import { getCACertificates } from "node:tls";
import { Fault } from "../faults/fault.ts";
import { writeFileAtomic } from "../kernel/atomic-file.ts";
import { Secret } from "../kernel/secret.ts";
import { credentialAnswer, remoteSettings } from "./git-settings.ts";
import type { Remote } from "./source.ts";
import { waySettings } from "./way-settings.ts";

/** A remote that was looked at: safe to be a word of git's command line. */
export interface CheckedRemote {
  readonly url: URL;
  readonly ca: string | undefined;
  readonly credential: Secret;
  readonly settings: readonly string[];
  /** What git is to read and nobody else: see `way-settings.ts`. */
  readonly files: readonly Secret[];
  readonly env: Readonly<Record<string, string>>;
}

/** Throws `INVALID_URL` for anything but a plain http(s) address, `GIT_AUTH_FAILED` for a token no git could send. */
export async function checkRemote(remote: Remote, caFolder: string): Promise<CheckedRemote> {
  const url = parseCloneUrl(remote.url);
  const answer = credentialAnswer(remote.token);
  if (answer === null) {
    throw Fault.of("GIT_AUTH_FAILED", "", { message: "The token is empty or holds a line break" });
  }
  const way = waySettings(url, remote.way);
  return {
    url,
    ca: remote.ca,
    credential: new Secret(answer),
    settings: [...remoteSettings(await ensureCaFile(caFolder, remote.ca)), ...way.settings],
    files: way.files,
    env: { FAIRLEAD_GIT_ORIGIN: url.origin },
  };
}

/** Normalised by the URL parser: no spaces, no control characters, never beginning with a dash. */
export function parseCloneUrl(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url === null || !["http:", "https:"].includes(url.protocol)) {
    throw Fault.of("INVALID_URL", "", { message: "The clone address is not an http(s) URL" });
  }
  if (url.username !== "" || url.password !== "" || url.search !== "" || url.hash !== "") {
    throw Fault.of("INVALID_URL", "", {
      message: "The clone address may hold no credential, query or fragment",
      evidence: { host: url.host },
    });
  }
  return url;
}

/** A commit's full id. Nothing else ever becomes a word of git's command line: no branch, no tag, no abbreviation. */
export function parseCommitId(text: string): string {
  if (/^(?:[0-9a-f]{40}|[0-9a-f]{64})$/.test(text)) return text;
  throw Fault.of("BAD_REQUEST", "invalid", { message: "Not the full hexadecimal id of a commit" });
}

/**
 * A file with the machine's certificates and the given ones, because git replaces the machine's by this file. Null: git's own default
 * will do. A machine without certificates gets Node's, so that git trusts what the API client trusts.
 */
async function ensureCaFile(folder: string, ca: string | undefined): Promise<string | null> {
  const system = getCACertificates("system");
  if (ca === undefined && system.length > 0) return null;
  const roots = system.length > 0 ? system : getCACertificates("bundled");
  const content = [...roots, ...(ca === undefined ? [] : [ca])].map((pem) => `${pem.trim()}\n`).join("");
  const file = join(folder, `${createHash("sha256").update(content).digest("hex")}.pem`);
  if (!(await exists(file))) {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    await writeFileAtomic(file, content);
  }
  return file;
}

async function exists(path: string): Promise<boolean> {
  try {
    await access(path);
    return true;
  } catch {
    return false;
  }
}

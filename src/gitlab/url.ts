import { isIP } from "node:net";
import { Fault } from "../faults/fault.ts";
import { isForbiddenAddress } from "./addresses.ts";

export interface InstanceUrl {
  /** Scheme, host, port and sub-path, without trailing slash and without `/api/v4`. */
  readonly baseUrl: string;
  readonly origin: string;
  /** Host name without port and brackets. */
  readonly host: string;
  readonly port: number;
  readonly secure: boolean;
  /** Nobody said https: http may be meant. */
  readonly schemeAdded: boolean;
  /** What was changed in the pasted text, in words. Empty: nothing that matters. */
  readonly notes: readonly string[];
}

const MAX_LENGTH = 2000;

/**
 * The address of a GitLab from what a person pasted: blanks trimmed, `https://` added, pages of GitLab, clone addresses and `/api/v4` cut
 * off, sub-path and port kept. Throws `INVALID_URL`, whose message never holds the pasted text (it may hold a password).
 */
export function parseInstanceUrl(pasted: string): InstanceUrl {
  const text = pasted.trim();
  if (text === "") throw invalid("The address is empty");
  if (text.length > MAX_LENGTH) throw invalid("The address is too long");
  // WHATWG parsing drops tabs and line ends silently: what is shown would not be what is called
  if (/[\p{Cc}\p{Cf}\p{Z}\\]/u.test(text) || !text.isWellFormed()) {
    throw invalid("The address holds blanks, control characters or backslashes");
  }
  const cloned = fromSsh(text);
  const url = toUrl(cloned ?? text);
  const host = url.hostname.replace(/^\[|\]$/g, "").replace(/\.$/, "");
  refuseForbidden(host);
  const { path, note } = basePath(url.pathname);
  const schemeAdded = cloned === null && !hasScheme(text);
  const notes = [
    ...(cloned === null ? [] : ["an address for SSH: https:// on the same host is asked"]),
    ...(schemeAdded ? ["https:// added"] : []),
    ...(/[^\p{ASCII}]/u.test(text) ? [`the host's name in ASCII is ${host}`] : []),
    ...(note === null ? [] : [note]),
  ];
  return { ...describe(url.protocol, url.host, path), schemeAdded: schemeAdded || cloned !== null, notes };
}

/** The same place with another scheme (and its own port unless one was given), or another sub-path. */
export function changeUrl(
  base: InstanceUrl,
  change: { readonly scheme?: "http" | "https"; readonly path?: string },
): InstanceUrl {
  const url = new URL(base.baseUrl);
  const protocol = change.scheme === undefined ? url.protocol : `${change.scheme}:`;
  const path = change.path ?? (url.pathname === "/" ? "" : url.pathname);
  return { ...describe(protocol, url.host, path), schemeAdded: false, notes: base.notes };
}

function describe(
  protocol: string,
  hostAndPort: string,
  path: string,
): Omit<InstanceUrl, "notes" | "schemeAdded"> {
  const url = new URL(`${protocol}//${hostAndPort}`);
  const secure = protocol === "https:";
  return {
    baseUrl: `${url.origin}${path}`,
    origin: url.origin,
    host: url.hostname.replace(/^\[|\]$/g, ""),
    port: url.port === "" ? (secure ? 443 : 80) : Number(url.port),
    secure,
  };
}

/** Names by which clouds reach their metadata services: through a proxy nobody but it would see where they lead. */
const METADATA_NAMES =
  /^(metadata|metadata\.google\.internal|metadata\.goog|instance-data(\.ec2\.internal)?)$/;

function refuseForbidden(host: string): void {
  // A token pasted in the wrong place must not go out to a name server.
  if (/^gl[a-z]{2,6}-./i.test(host)) throw invalid("This is a token, not an address");
  const bad = isIP(host) === 0 ? METADATA_NAMES.test(host) : isForbiddenAddress(host);
  if (!bad) return;
  throw invalid("The address belongs to a link-local network or a cloud metadata service", { address: host });
}

function hasScheme(text: string): boolean {
  return /^[a-z][a-z0-9+.-]*:\/\//i.test(text);
}

/** `git@host:group/project.git` and `ssh://git@host:2222/group/project.git`, as GitLab's clone menu shows them; null for anything else. */
function fromSsh(text: string): string | null {
  const [, host, path] =
    /^(?:git|gitlab)@([^/@:?#[\]]+):(?!\d+(?:\/|$))\/?([^@?#]+)$/.exec(text) ??
    /^(?:git\+)?ssh:\/\/(?:git|gitlab)@([^/@:?#]+|\[[\da-f:.]+\])(?::\d{1,5})?\/([^@?#]+)$/i.exec(text) ??
    [];
  return host === undefined ? null : `https://${host}/${path}`;
}

function toUrl(text: string): URL {
  const withScheme = hasScheme(text) ? text : `https://${text}`;
  if (!URL.canParse(withScheme)) throw invalid("The address is not a URL");
  const url = new URL(withScheme);
  if (url.protocol !== "https:" && url.protocol !== "http:") {
    throw invalid("The address must begin with https:// or http://");
  }
  if (url.username !== "" || url.password !== "" || /^[a-z]+:\/\/[^/?#]*@/i.test(withScheme)) {
    throw invalid("The address holds a user name or a password");
  }
  if (url.hostname === "" || url.port === "0") throw invalid("The address names no host");
  return url;
}

/** Pages of GitLab that people copy from the address bar; what stands before them is the sub-path GitLab lives under. */
const PAGES =
  /\/(?:api(?:\/v\d+|\/graphql)?|users\/sign_in|-|dashboard|explore|admin|profile|help|groups|projects\/new|search|oauth|public|snippets)(?:\/.*)?$/;
/** What git clones, and what it asks there. */
const CLONED = /\/[^/]+\.git(?:\/.*)?$/;

function basePath(pathname: string): { path: string; note: string | null } {
  const clean = pathname.replaceAll(/\/{2,}/g, "/");
  const cut = clean.replace(PAGES, "").replace(CLONED, "");
  const path = cut.replace(/\/+$/, "");
  return { path, note: cut === clean ? null : `${clean.slice(cut.length)} cut off` };
}

function invalid(message: string, evidence: { readonly address?: string } = {}): Fault {
  return Fault.of("INVALID_URL", "", { message, evidence: { note: message, ...evidence } });
}

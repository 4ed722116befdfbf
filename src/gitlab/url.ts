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
  /** What was changed in the pasted text, in words. Empty: nothing that matters. */
  readonly notes: readonly string[];
}

const MAX_LENGTH = 2000;

/**
 * The address of a GitLab from what a person pasted: blanks trimmed, `https://` added, pages of GitLab and `/api/v4` cut off, sub-path and
 * port kept. Throws `INVALID_URL`, whose message never holds the pasted text (it may hold a password).
 */
export function parseInstanceUrl(pasted: string): InstanceUrl {
  const text = pasted.trim();
  if (text === "") throw invalid("The address is empty");
  if (text.length > MAX_LENGTH) throw invalid("The address is too long");
  // WHATWG parsing drops tabs and line ends silently: what is shown would not be what is called
  if (/[\p{Cc}\p{Cf}\p{Z}\\]/u.test(text)) {
    throw invalid("The address holds blanks, control characters or backslashes");
  }
  const url = toUrl(text);
  // A token pasted in the wrong place must not go out to a name server.
  if (/^glpat-./i.test(url.hostname)) throw invalid("This is a token, not an address");
  const host = url.hostname.replace(/^\[|\]$/g, "");
  if (isIP(host) !== 0 && isForbiddenAddress(host)) {
    throw invalid("The address belongs to a link-local network or a cloud metadata service", {
      address: host,
    });
  }
  const { path, note } = basePath(url.pathname);
  const notes = [...(hasScheme(text) ? [] : ["https:// added"]), ...(note === null ? [] : [note])];
  const secure = url.protocol === "https:";
  return {
    baseUrl: `${url.origin}${path}`,
    origin: url.origin,
    host,
    port: url.port === "" ? (secure ? 443 : 80) : Number(url.port),
    secure,
    notes,
  };
}

function hasScheme(text: string): boolean {
  return /^[a-z][a-z0-9+.-]*:\/\//i.test(text);
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
const PAGES = /\/(?:api\/v\d+|api\/graphql|users\/sign_in|-|dashboard|explore|admin|profile)(?:\/.*)?$/;

function basePath(pathname: string): { path: string; note: string | null } {
  const clean = pathname.replaceAll(/\/{2,}/g, "/");
  const cut = clean.replace(PAGES, "");
  const path = cut.replace(/\/+$/, "");
  return { path, note: cut === clean ? null : `${clean.slice(cut.length)} cut off` };
}

function invalid(message: string, evidence: { readonly address?: string } = {}): Fault {
  return Fault.of("INVALID_URL", "", { message, evidence: { words: message, ...evidence } });
}

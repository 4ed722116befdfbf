import type { Evidence } from "../faults/fault.ts";
import { toWords, type Redact } from "./redact.ts";
import { toEnvelope, toPageTitle, toSentence, type Envelope } from "./words.ts";

/** An answer as it came, with what was asked. */
export interface Answer {
  readonly method: string;
  readonly pathTemplate: string;
  /** Where it was sent, without query. */
  readonly url: string;
  /** Names of the fields that were sent, never their values. */
  readonly sent?: readonly string[];
  readonly status: number;
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly text: string;
  /** False: cut off at the size limit. */
  readonly complete: boolean;
}

/** What may be shown of an answer: method, template, status, GitLab's own words, its request id, the host. */
export function toEvidence(answer: Answer, redact: Redact): Evidence {
  const envelope = readEnvelope(answer);
  const raw = envelope ? toSentence(envelope) : toPageTitle(answer.text);
  const words = toWords(raw, redact);
  const requestId = readRequestId(answer.headers);
  return {
    method: answer.method,
    pathTemplate: answer.pathTemplate,
    status: answer.status,
    host: new URL(answer.url).host,
    instance: answer.url.split("/api/v4")[0] ?? answer.url,
    ...(words === "" ? {} : { words }),
    ...(requestId === undefined ? {} : { requestId }),
  };
}

/** GitLab's own id of the request, which its administrator can look for in the logs; undefined for what cannot be one. */
export function readRequestId(headers: Answer["headers"]): string | undefined {
  return /^[\w.:-]{1,128}$/.exec(headers["x-request-id"] ?? "")?.[0];
}

export function isJson(answer: Pick<Answer, "headers">): boolean {
  return /^application\/(?:[\w.-]+\+)?json\b/i.test(answer.headers["content-type"] ?? "");
}

export function readEnvelope(answer: Answer): Envelope | null {
  if (!isJson(answer) || !answer.complete) return null;
  try {
    return toEnvelope(JSON.parse(answer.text));
  } catch {
    return null; // a body that only claims to be JSON: handled like any foreign page
  }
}

/** When a retry makes sense, from `Retry-After` (seconds or date) or `RateLimit-Reset` (unix seconds). Milliseconds since the epoch. */
export function readRetryAt(headers: Answer["headers"], now: number): number | undefined {
  const after = headers["retry-after"]?.trim() ?? "";
  if (/^\d{1,9}$/.test(after)) return now + Number(after) * 1000;
  const date = Date.parse(after);
  if (!Number.isNaN(date)) return date;
  const reset = headers["ratelimit-reset"] ?? "";
  return /^\d{1,12}$/.test(reset) ? Number(reset) * 1000 : undefined;
}

import type { Secret } from "../kernel/secret.ts";

export type Redact = (text: string) => string;

/**
 * Cuts secrets out of text in every form in which a server may echo them: as they are, URL-encoded, and in base64 at any of the three
 * alignments (as in an `Authorization: Basic` header).
 */
export function createRedactor(...secrets: readonly Secret[]): Redact {
  const forms = new Set(
    secrets
      .map((secret) => secret.reveal())
      // shorter ones would make holes into every other word
      .filter((value) => value.length >= 6)
      .flatMap((value) => [value, encodeURIComponent(value.toWellFormed()), ...base64Forms(value)]),
  );
  const ordered = [...forms].sort((a, b) => b.length - a.length);
  return (text) => ordered.reduce((rest, form) => rest.replaceAll(form, "[redacted]"), text);
}

/** The characters of base64 that depend on the token alone, for each number of bytes before it. */
function base64Forms(value: string): string[] {
  return [0, 1, 2].flatMap((before) => {
    const bytes = Buffer.concat([Buffer.alloc(before), Buffer.from(value)]);
    const start = before === 0 ? 0 : before + 1;
    const end = Math.floor((bytes.length * 8) / 6);
    return ["base64", "base64url"]
      .map((encoding) => (encoding === "base64" ? bytes.toString("base64") : bytes.toString("base64url")))
      .map((text) => text.slice(start, end))
      .filter((text) => text.length >= 8);
  });
}

const MAX_WORDS = 2048;

/** Foreign text that may be shown: redacted first, then without control characters (terminals obey them), then cut. */
export function toWords(text: string, redact: Redact, max = MAX_WORDS): string {
  const clean = redact(text)
    .replaceAll(/[\p{Cc}\u202a-\u202e\u2066-\u2069]+/gu, " ")
    .toWellFormed()
    .trim();
  return clean.length <= max ? clean : `${clean.slice(0, max)}…`;
}

import type { Secret } from "./secret.ts";

/** Shorter values are not hidden: they occur by chance in any text, and no token is that short. */
const SHORTEST = 6;
/** An encoded piece shorter than this occurs by chance. */
const SHORTEST_ENCODED = 8;

/**
 * A function that replaces every known secret in a text by `[secret]`: plain, URL-encoded, base64 (also inside a longer
 * base64 text such as `user:token`), hexadecimal, shell-quoted and JSON-escaped; of a secret with several lines also each line alone,
 * because logs are cut into lines.
 */
export function redactor(secrets: Iterable<Secret>): (text: string) => string {
  const forms = new Set<string>();
  for (const secret of secrets) {
    for (const value of wholeAndLines(secret.reveal())) for (const form of formsOf(value)) forms.add(form);
  }
  if (forms.size === 0) return (text) => text;
  const longestFirst = [...forms].sort((a, b) => b.length - a.length);
  const pattern = new RegExp(longestFirst.map(literally).join("|"), "g");
  return (text) => text.replace(pattern, "[secret]");
}

function literally(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|/-]/g, String.raw`\$&`);
}

function wholeAndLines(value: string): string[] {
  const lines = value.split(/\r?\n/);
  return (lines.length === 1 ? lines : [value, ...lines]).filter((part) => part.length >= SHORTEST);
}

function formsOf(value: string): string[] {
  const bytes = Buffer.from(value, "utf8");
  const encoded = [...base64Cores(bytes), bytes.toString("hex"), bytes.toString("hex").toUpperCase()];
  return [
    value,
    ...urlForms(value),
    ...shellForms(value),
    JSON.stringify(value).slice(1, -1),
    ...encoded.filter((form) => form.length >= SHORTEST_ENCODED),
  ];
}

function urlForms(value: string): string[] {
  const component = encodeSafely(value);
  const strict = component.replace(/[!'()*]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`);
  const form = new URLSearchParams({ v: value }).toString().slice(2);
  const forms = [component, strict, form];
  return [...forms, ...forms.map((text) => text.replace(/%[0-9A-F]{2}/g, (hex) => hex.toLowerCase()))];
}

/** `encodeURIComponent` throws on half a surrogate pair. */
function encodeSafely(value: string): string {
  return encodeURIComponent(value.toWellFormed());
}

function shellForms(value: string): string[] {
  return [
    value.replaceAll("'", String.raw`'\''`),
    value.replaceAll("'", `'"'"'`),
    value.replace(/[\\"$`]/g, String.raw`\$&`),
    value.replace(/[^A-Za-z0-9_@%+=:,./-]/g, String.raw`\$&`),
    value.replace(/[\\']/g, String.raw`\$&`).replaceAll("\n", String.raw`\n`),
  ];
}

/**
 * What of the value's base64 is the same whatever stands before and after it: in a longer text it may begin at any of three
 * positions, and the characters at both ends mix with the neighbours' bits.
 */
function base64Cores(bytes: Buffer): string[] {
  return [0, 1, 2].flatMap((shift) => {
    const text = Buffer.concat([Buffer.alloc(shift), bytes])
      .toString("base64")
      .replace(/=+$/, "");
    const start = Math.ceil((shift * 8) / 6);
    const end = Math.floor(((shift + bytes.length) * 8) / 6);
    const core = text.slice(start, end);
    return [core, core.replaceAll("+", "-").replaceAll("/", "_")];
  });
}

type Redact = (text: string) => string;

/** Names whose values are never logged, compared without case, `-` and `_`: `PRIVATE-TOKEN`, `privateToken` and `private_token` are one. */
const SECRET_NAMES =
  /^(authorization|cookie|setcookie|.*tokens?|.*passw(or)?d|.*secrets?|.*privatekey|.*signingkey|passphrase|databaseurl|connectionstring)$/;
/** Facts about secrets, which may be logged. */
const HARMLESS_NAMES = /^(hastoken|tokenkind|tokenid|tokenname|hassecret|badsecrets?)$/;

const MAX_DEPTH = 6;
const MAX_ITEMS = 100;
const MAX_TEXT = 16 * 1024;

/**
 * A copy of `fields` that may be logged: secret names blanked, known secrets cut out of every string, errors reduced to what
 * helps (never their enumerable extras: libraries hang requests with headers there), depth and size bounded.
 */
export function scrub(fields: object, redact: Redact): Record<string, unknown> {
  return scrubEntries(fields, redact, 0, new WeakSet());
}

function scrubEntries(
  value: object,
  redact: Redact,
  depth: number,
  seen: WeakSet<object>,
): Record<string, unknown> {
  const entries = Object.entries(value)
    .slice(0, MAX_ITEMS)
    .map(([name, item]: [string, unknown]) => [
      name,
      isSecretName(name) && item !== null ? "[redacted]" : scrubValue(item, redact, depth + 1, seen),
    ]);
  return Object.fromEntries(entries);
}

function isSecretName(name: string): boolean {
  const plain = name.replaceAll(/[-_]/g, "").toLowerCase();
  return SECRET_NAMES.test(plain) && !HARMLESS_NAMES.test(plain);
}

function scrubValue(value: unknown, redact: Redact, depth: number, seen: WeakSet<object>): unknown {
  if (typeof value === "string") return clip(redact(value));
  if (typeof value === "bigint") return String(value);
  if (typeof value !== "object" || value === null) return value;
  if (depth > MAX_DEPTH || seen.has(value)) return "[…]";
  seen.add(value);
  const clean = scrubObject(value, redact, depth, seen);
  seen.delete(value);
  return clean;
}

function scrubObject(value: object, redact: Redact, depth: number, seen: WeakSet<object>): unknown {
  if (value instanceof Error) return scrubError(value, redact, depth, seen);
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? null : value.toISOString();
  if (value instanceof URL) return redact(`${value.origin}${value.pathname}`);
  if (ArrayBuffer.isView(value)) return `[${value.byteLength} bytes]`;
  if ("toJSON" in value && typeof value.toJSON === "function") {
    return scrubValue(value.toJSON(), redact, depth + 1, seen);
  }
  if (Array.isArray(value)) {
    return value.slice(0, MAX_ITEMS).map((item: unknown) => scrubValue(item, redact, depth + 1, seen));
  }
  return scrubEntries(value, redact, depth, seen);
}

const ERROR_FACTS = ["code", "reason", "evidence", "status", "failure", "program", "exitCode"] as const;

function scrubError(error: Error, redact: Redact, depth: number, seen: WeakSet<object>): unknown {
  const facts: Record<string, unknown> = { type: error.name, message: clip(redact(error.message)) };
  const own = new Map<string, unknown>(Object.entries(error));
  for (const name of ERROR_FACTS) {
    if (own.has(name)) facts[name] = scrubValue(own.get(name), redact, depth + 1, seen);
  }
  if (error.stack !== undefined) facts["stack"] = clip(redact(error.stack));
  if (error.cause !== undefined) facts["cause"] = scrubValue(error.cause, redact, depth + 1, seen);
  return facts;
}

function clip(text: string): string {
  return text.length <= MAX_TEXT ? text : `${text.slice(0, MAX_TEXT)}… (${text.length} characters)`;
}

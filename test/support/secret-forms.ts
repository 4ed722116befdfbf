/** One way a secret may be written, as the bytes to look for. */
export interface SecretForm {
  readonly secret: number;
  readonly form: string;
  readonly bytes: Buffer;
}

/**
 * Every form of every secret that the hunt looks for. Written apart from `kernel/redact.ts` on purpose: a form forgotten there must be
 * found here.
 */
export function secretForms(secrets: readonly string[]): SecretForm[] {
  return secrets.flatMap((value, secret) => {
    if (value.length < 12) throw new Error("a secret to hunt has at least 12 characters, or chance finds it");
    const seen = new Set<string>();
    return formsOf(value).flatMap(([form, text]) => {
      if (seen.has(text)) return [];
      seen.add(text);
      return [{ secret, form, bytes: Buffer.from(text, "utf8") }];
    });
  });
}

function formsOf(value: string): [form: string, text: string][] {
  const hex = Buffer.from(value).toString("hex");
  const percent = hex.replace(/../g, "%$&");
  return [
    ["plain", value],
    ["url-encoded", encodeURIComponent(value)],
    ["url-encoded", encodeURIComponent(value).replace(/%../g, (code) => code.toLowerCase())],
    ["url-encoded", value.replace(/[^A-Za-z0-9_.~-]/g, percentCode)],
    ["url-encoded", new URLSearchParams([["", value]]).toString().slice(1)],
    ["url-encoded", percent],
    ["url-encoded", percent.toUpperCase()],
    ["hex", hex],
    ["hex", hex.toUpperCase()],
    ["shell-quoted", value.split("'").join(`'\\''`)],
    ["shell-quoted", value.split("'").join(`'"'"'`)],
    ["shell-quoted", value.replace(/[^A-Za-z0-9_]/g, "\\$&")],
    ["shell-quoted", value.replace(/[^A-Za-z0-9_./:=@%+,-]/g, "\\$&")],
    ["shell-quoted", value.replace(/["$`\\]/g, "\\$&")],
    ["json", JSON.stringify(value).slice(1, -1)],
    ...base64Forms(value),
  ];
}

function percentCode(char: string): string {
  return encodeURIComponent(char) === char
    ? `%${char.charCodeAt(0).toString(16).toUpperCase()}`
    : encodeURIComponent(char);
}

/** Three bytes become four characters, so a value inside a longer text begins at one of three places. The ends mix with neighbours. */
function base64Forms(value: string): [form: string, text: string][] {
  return ["", "x", "xx"].flatMap((before): [string, string][] => {
    const whole = Buffer.from(before + value);
    const usable = whole.subarray(0, whole.length - (whole.length % 3)).toString("base64");
    const core = before === "" ? usable : usable.slice(4);
    return [
      [`base64+${before.length}`, core],
      [`base64url+${before.length}`, core.replaceAll("+", "-").replaceAll("/", "_")],
    ];
  });
}

import type { Hook } from "../state.ts";

type Payload = Readonly<Record<string, unknown>>;

const FAILED = "Error while parsing rendered custom webhook template: ";

/**
 * The body of a call: the payload, or what the hook's own template makes of it. `{{project.name}}` is replaced by the value as JSON,
 * text without its quotes. Throws what GitLab writes down when that is no JSON.
 */
export function bodyOf(template: string | null, payload: Payload): string {
  if (template === null || template.trim() === "") return JSON.stringify(payload);
  const rendered = template.replaceAll(/\{\{(.+?)\}\}/g, (_all, path: string) => valueAt(payload, path));
  try {
    return JSON.stringify(JSON.parse(rendered));
  } catch (error) {
    throw new Error(FAILED + (error instanceof Error ? error.message : String(error)), { cause: error });
  }
}

function valueAt(payload: Payload, path: string): string {
  let value: unknown = payload;
  for (const key of path.split(".")) {
    if (Array.isArray(value)) {
      throw new TypeError(`${FAILED}You may be trying to access an array value, which is not supported.`);
    }
    const found = Object.entries(Object(value)).find(([name]) => name === key);
    value = found?.[1];
  }
  const json = JSON.stringify(value ?? null);
  return typeof value === "string" ? json.slice(1, -1) : json;
}

/** The address of a hook with its variables put in; a variable without a value stays as it is. */
export function interpolatedUrl(hook: Pick<Hook, "url" | "urlVariables">): string {
  let url = hook.url;
  for (const { key, value } of hook.urlVariables) url = url.replaceAll(`{${key}}`, value);
  return url;
}

/** Variables that a URL names but nobody gave. */
export function missingVariables(hook: Pick<Hook, "url" | "urlVariables">): string[] {
  const known = new Set(hook.urlVariables.map(({ key }) => key));
  const named = [...hook.url.matchAll(/\{(.+?)\}/g)].map((match) => match[1] ?? "");
  return named.filter((name) => !known.has(name));
}

import type { Fact } from "./fact.ts";

/**
 * What a fact says of the body, where the spec says it literally. Ruby that only runs there (variables, calls, interpolation alone) says
 * nothing here; interpolation inside of a text matches anything.
 */
export function problemsOf(fact: Fact, status: number, body: unknown): readonly string[] {
  if (status !== fact.status)
    return [`status ${status}, not ${fact.status}: ${JSON.stringify(body)}`.slice(0, 240)];
  return Object.entries(fact.body).flatMap(([key, said]) => {
    const [path = "", how = "equal"] = key.split("~");
    const expected = readRuby(said, how);
    if (expected === undefined) return [];
    const found = path.split(".").reduce<unknown>((value, name) => Object(value)[name], body);
    return agrees(how, found, expected) ? [] : [`${key} is ${JSON.stringify(found)}, not ${said}`];
  });
}

/** A JSON value, a pattern, or undefined for what only Ruby knows. */
function readRuby(said: string, how: string): unknown {
  const text = said.replaceAll('\\\\"', '"').replaceAll('\\"', '"').replaceAll("\\'", "'");
  const regex = /^\/(.*)\/$/.exec(text)?.[1];
  if (regex !== undefined) return new RegExp(regex);
  const quoted = /^_\('(.*)'\)$/.exec(text)?.[1] ?? /^%\((.*)\)$/.exec(text)?.[1];
  if (quoted !== undefined) return quoted;
  if (/^(\[|\{ )/.test(text)) return parseLiteral(text);
  if (text.includes("#{")) return interpolated(text, how);
  return /^[a-z_.]+(\(\w*\))?$|\($|^l\(|^_array/.test(text) ? undefined : text;
}

function interpolated(text: string, how: string): RegExp {
  const parts = text
    .split(/#\{[^}]*\}/)
    .map((part) => part.replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`));
  return new RegExp(how === "equal" ? `^${parts.join(".*")}$` : parts.join(".*"));
}

function parseLiteral(text: string): unknown {
  const json = text.replaceAll("=>", ":").replaceAll(/(?<=[[{ ,:])'|'(?=[\]} ,:])/g, '"');
  try {
    return JSON.parse(json.replaceAll("\"'", '"').replaceAll("'\"", '"'));
  } catch {
    return undefined;
  }
}

function agrees(how: string, found: unknown, expected: unknown): boolean {
  const texts = (Array.isArray(found) ? found : [found]).map((value) =>
    typeof value === "string" ? value : JSON.stringify(value ?? null),
  );
  if (expected instanceof RegExp) return texts.some((text) => expected.test(text));
  if (how === "equal") return JSON.stringify(found) === JSON.stringify(expected);
  if (how === "contain_exactly") return JSON.stringify(texts) === JSON.stringify([expected]);
  return texts.some((text) => text.includes(String(expected)));
}

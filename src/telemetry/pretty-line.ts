import { inspect, stripVTControlCharacters } from "node:util";
import { z } from "zod";

const lineSchema = z.looseObject({ level: z.string(), time: z.string(), msg: z.string().default("") });

/** One JSON log line as a plain one for people: `14:02:11 warn  Hook could not be made  app=shop`. Anything else is passed on. */
export function prettyLine(line: string): string {
  const parsed = lineSchema.safeParse(parseJson(line));
  if (!parsed.success) return line;
  const { level, time, msg, ...fields } = parsed.data;
  const facts = Object.entries(fields)
    .map(([name, value]) => `  ${name}=${fact(value)}`)
    .join("");
  // Logged text may hold what a stranger sent: no escape sequence of theirs reaches the terminal.
  return `${time.slice(11, 19)} ${level.padEnd(5)} ${stripControl(msg)}${facts}\n`;
}

function fact(value: unknown): string {
  if (typeof value === "string")
    return /^[\w./:@-]+$/.test(value) ? value : stripControl(JSON.stringify(value));
  return stripControl(inspect(value, { breakLength: Infinity, depth: 5, compact: true }));
}

function stripControl(text: string): string {
  return stripVTControlCharacters(text).replaceAll(/\p{Cc}/gu, " ");
}

function parseJson(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return null;
  }
}

import { createContext, Script } from "node:vm";

/** An expression that needs longer than this for one text matches nothing. GitLab's RE2 needs no such limit: none keeps it busy. */
const PATIENCE_MS = 100;

/** `release/*`: a star stands for anything, slashes included. In steps that grow with the text, not with what stars could mean. */
export function matchesWildcard(pattern: string, text: string): boolean {
  const [first = "", ...rest] = pattern.split("*");
  const last = rest.pop();
  if (last === undefined) return text === pattern;
  if (!text.startsWith(first)) return false;
  let at = first.length;
  for (const part of rest) {
    const found = text.indexOf(part, at);
    if (found === -1) return false;
    at = found + part.length;
  }
  return text.length - last.length >= at && text.endsWith(last);
}

/** Looks for an expression anywhere in a text; null when it is none. */
export function parseExpression(expression: string): ((text: string) => boolean) | null {
  try {
    return patientSearch(new RegExp(expression, "u"));
  } catch {
    return null;
  }
}

/** All its texts share the one limit. */
function patientSearch(compiled: RegExp): (text: string) => boolean {
  const room = { compiled, text: "" };
  const context = createContext(room);
  const script = new Script("compiled.test(text)");
  let tired = false;
  return (text) => {
    if (tired) return false;
    room.text = text;
    try {
      return script.runInContext(context, { timeout: PATIENCE_MS }) === true;
    } catch {
      tired = true;
      return false;
    }
  };
}

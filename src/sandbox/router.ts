import type { Method, Route } from "./route.ts";

export interface Match {
  readonly route: Route;
  readonly path: Readonly<Record<string, string>>;
}

/** Finds the route of a path whose segments are still encoded, so that `%2F` stays inside one of them. */
export function createRouter(routes: readonly Route[]): (method: Method, path: string) => Match | null {
  const compiled = routes.map((route) => ({ route, parts: route.path.split("/").slice(1) }));
  return (method, path) => {
    const segments = path.split("/").slice(1);
    for (const { route, parts } of compiled) {
      if (route.method !== method || parts.length !== segments.length) continue;
      const found = matchParts(parts, segments);
      if (found) return { route, path: found };
    }
    return null;
  };
}

function matchParts(parts: readonly string[], segments: readonly string[]): Record<string, string> | null {
  const found: Record<string, string> = {};
  for (const [index, part] of parts.entries()) {
    const value = decodeSegment(segments[index] ?? "");
    if (value === null || value === "") return null;
    if (part.startsWith(":")) found[part.slice(1)] = value;
    else if (part !== value) return null;
  }
  return found;
}

/** null for a segment that is not valid UTF-8 in percent encoding. */
function decodeSegment(segment: string): string | null {
  try {
    return decodeURIComponent(segment);
  } catch {
    return null;
  }
}

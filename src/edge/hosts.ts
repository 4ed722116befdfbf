const NAME = /^([a-z0-9_-]+(?:\.[a-z0-9_-]+)*)\.?(?::[0-9]{1,5})?$/i;
const IPV6 = /^(\[[0-9a-f:.]+\])(?::[0-9]{1,5})?$/i;
/** A DNS name has at most 253 characters; a port and a final dot come to it. */
const LONGEST = 260;

/**
 * The key of a route from what a client wrote into `Host`: without port and final dot, in lower case. Null when it is no host
 * name at all; such requests are refused, because the app behind could read them otherwise than we do.
 */
export function hostOf(text: string): string | null {
  if (text.length > LONGEST) return null;
  const found = NAME.exec(text) ?? IPV6.exec(text);
  return found?.[1]?.toLowerCase() ?? null;
}

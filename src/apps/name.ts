import { Fault } from "../faults/fault.ts";

const LABEL = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/;
/** Made names stop here, so that a number or a preview's suffix still fits into a label of 63. */
const MADE_LENGTH = 40;

/**
 * An app's name is a DNS label, because it is the first part of its host. Punycode (`xn--`) is refused: a name must read as what it
 * is. Throws `BAD_REQUEST`.
 */
export function parseAppName(name: string): string {
  if (isAppName(name)) return name;
  throw Fault.of("BAD_REQUEST", "invalid", {
    message:
      "An app's name has 1 to 63 lower-case letters, digits or hyphens and begins and ends with a letter or digit",
  });
}

function isAppName(name: string): boolean {
  return LABEL.test(name) && !name.startsWith("xn--");
}

/** `Group/My_Shop.web` → `my-shop-web`; `app` when nothing usable is left. */
export function defaultAppName(projectPath: string): string {
  const last = projectPath.slice(projectPath.lastIndexOf("/") + 1);
  const label = last
    .normalize("NFKD")
    .toLowerCase()
    .replaceAll("ß", "ss")
    .replaceAll(/\p{M}/gu, "")
    .replaceAll(/[^a-z0-9]+/g, "-")
    .slice(0, MADE_LENGTH)
    .replaceAll(/^-+|-+$/g, "");
  return isAppName(label) ? label : "app";
}

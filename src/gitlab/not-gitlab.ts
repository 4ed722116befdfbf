import { Fault, type Evidence } from "../faults/fault.ts";
import { isJson, type Answer } from "./answer.ts";
import { toWords } from "./redact.ts";
import { toPageTitle } from "./words.ts";

const LOGIN_PAGE =
  /sign.?in|log.?in|sso|single sign|cloudflare access|oauth|keycloak|authelia|authentik|access denied/i;

/** Something else than GitLab's API answered. Also for answers that were a success by their status. */
export function notGitLab(answer: Answer, evidence: Evidence = {}): Fault {
  const server = toWords(answer.headers["server"] ?? "", (text) => text, 80);
  const details = { evidence: { ...evidence, ...(server === "" ? {} : { server }) } };
  return Fault.of("NOT_GITLAB", whatItIs(answer), details);
}

function whatItIs(answer: Answer): "html" | "wrong_path" | "sso" | "not_json" {
  if (!answer.complete) return "not_json";
  // GitLab's own words, cut off on their way: the one who asks for a sign-in says so whole.
  if (isJson(answer) && !isWhole(answer)) return "not_json";
  if (answer.status === 401) return "sso";
  if (isJson(answer)) return JSON_MEANS.get(answer.status) ?? "not_json";
  if (!isHtml(answer)) return "not_json";
  return isBarred(answer) ? "sso" : "html";
}

const JSON_MEANS = new Map<number, "wrong_path" | "sso">([
  [403, "sso"],
  [404, "wrong_path"],
]);

function isWhole({ text }: Answer): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false; // the parser's words are about its own insides
  }
}

/** A page of nginx (and of others in its words) says 400 before a GitLab that is only for holders of a client certificate. */
function isBarred({ status, text }: Answer): boolean {
  if (status === 403) return true;
  const title = toPageTitle(text);
  return status === 400 ? /SSL certificate/i.test(title) : status < 400 && LOGIN_PAGE.test(title);
}

function isHtml(answer: Answer): boolean {
  const type = answer.headers["content-type"] ?? "";
  return /^(text\/html|application\/xhtml)/i.test(type) || /^\s*<(!doctype|html)/i.test(answer.text);
}

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
  if (isJson(answer)) return answer.status === 404 ? "wrong_path" : "not_json";
  if (answer.status === 401) return "sso";
  if (!isHtml(answer)) return "not_json";
  // nginx (and others in its words) before a GitLab that is only for holders of a client certificate
  if (answer.status === 400 && /SSL certificate/i.test(toPageTitle(answer.text))) return "sso";
  const barred = answer.status === 403 || (answer.status < 400 && LOGIN_PAGE.test(toPageTitle(answer.text)));
  return barred ? "sso" : "html";
}

function isHtml(answer: Answer): boolean {
  const type = answer.headers["content-type"] ?? "";
  return /^(text\/html|application\/xhtml)/i.test(type) || /^\s*<(!doctype|html)/i.test(answer.text);
}

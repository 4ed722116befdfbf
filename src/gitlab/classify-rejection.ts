import { Fault, type Evidence } from "../faults/fault.ts";
import type { Answer } from "./answer.ts";
import { notGitLab } from "./not-gitlab.ts";
import { toSentence, type Envelope } from "./words.ts";

type Rule = (envelope: Envelope, evidence: Evidence, answer: Answer) => Fault | null;

/** 400, 404, 405, 409, 422 and the rest of the 4xx, the special places first. */
export function classifyRejection(answer: Answer, envelope: Envelope, evidence: Evidence): Fault {
  const { pathTemplate } = answer;
  const special: Rule[] = [];
  if (pathTemplate.includes("/hooks")) special.push(hookRules);
  if (pathTemplate.includes("/deploy_keys")) special.push(deployKeyRules);
  if (pathTemplate.includes("/statuses")) special.push(statusRules);
  for (const rule of [...special, generalRules]) {
    const fault = rule(envelope, evidence, answer);
    if (fault) return fault;
  }
  return Fault.of("BAD_REQUEST", "invalid", { evidence });
}

/** Up to 14.x GitLab answered invalid hooks with 404 and the errors in Ruby notation: the texts are the same in all envelopes. */
function hookRules(envelope: Envelope, evidence: Evidence): Fault | null {
  const words = toSentence(envelope);
  if (/Maximum number of (project |group )?hooks/i.test(words)) {
    return Fault.of("HOOK_LIMIT_REACHED", "", { evidence });
  }
  if (/Invalid url given/i.test(words) || /\burl\b.*is blocked/i.test(words)) {
    return Fault.of("HOOK_URL_REFUSED", "", { evidence });
  }
  return null;
}

function deployKeyRules(envelope: Envelope, evidence: Evidence): Fault | null {
  for (const [field, texts] of envelope.fields) {
    const words = texts.join(", ");
    if (/fingerprint|\bkey$/.test(field) && /already been taken/.test(words)) {
      return Fault.of("DEPLOY_KEY_TAKEN", "", { evidence });
    }
    if (/fingerprint|\bkey$/.test(field) && /forbidden|must be at least|cannot be used/.test(words)) {
      return Fault.of("DEPLOY_KEY_FORBIDDEN", "", { evidence });
    }
  }
  return null;
}

/** Not retryable: the commit has that status already. Retryable: another status is being written. */
function statusRules(envelope: Envelope, evidence: Evidence, answer: Answer): Fault | null {
  if (envelope.message.startsWith("Cannot transition status via"))
    return Fault.of("CONFLICT", "", { evidence });
  if (answer.status === 409) return Fault.of("CONFLICT", "", { evidence, retryable: true });
  // The commit is on no branch any more: history was rewritten meanwhile.
  if (/References for commit/.test(envelope.message)) {
    return Fault.of("GIT_FAILED", "commit_missing", { evidence });
  }
  if (envelope.fields.has("name") && /already been taken/.test(toSentence(envelope))) {
    return Fault.of("CONFLICT", "name_taken", { evidence });
  }
  return null;
}

function generalRules(envelope: Envelope, evidence: Evidence, answer: Answer): Fault | null {
  const { message, error } = envelope;
  switch (answer.status) {
    case 400:
      return /token type/.test(message) ? Fault.of("AUTH_FAILED", "wrong_kind", { evidence }) : null;
    case 404:
      // The catch-all of the API: no such address in this version, below this path, or `%2F` was decoded by a proxy.
      if (error === "404 Not Found" && message === "") return notGitLab(answer, evidence);
      if (/^404 Project Not Found/i.test(message)) {
        return Fault.of("PROJECT_NOT_FOUND", "hidden_or_missing", { evidence });
      }
      if (/^404 Repository Not Found/i.test(message))
        return Fault.of("REPOSITORY_DISABLED", "", { evidence });
      return message.startsWith("404 ")
        ? Fault.of("NOT_FOUND", "", { evidence })
        : notGitLab(answer, evidence);
    case 405:
      return /moved projects/.test(message) ? Fault.of("PROJECT_NOT_FOUND", "moved", { evidence }) : null;
    case 409:
      return Fault.of("CONFLICT", "", { evidence, retryable: true });
    default:
      return null;
  }
}

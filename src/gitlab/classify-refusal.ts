import { Fault, type Evidence } from "../faults/fault.ts";
import type { Answer } from "./answer.ts";
import { classifyCreation, isCreation } from "./classify-creation.ts";
import { notGitLab } from "./not-gitlab.ts";
import type { Envelope } from "./words.ts";

/** 401 and 403: token, account, scope or role, told apart by the envelope (GitLab's `lib/api/api_guard.rb`). */
export function classifyRefusal(answer: Answer, envelope: Envelope, evidence: Evidence): Fault {
  if (isForeign(envelope)) return notGitLab(answer, evidence);
  return answer.status === 401 ? unauthorized(envelope, evidence) : forbidden(answer, envelope, evidence);
}

/** A gateway's refusal in JSON of its own: GitLab always begins with the number, or says `error`. */
function isForeign({ message, error, fields }: Envelope): boolean {
  if (error !== "" || fields.size > 0) return false;
  return message === "" || /^(unauthorized|forbidden|access denied|authentication required)\b/i.test(message);
}

function unauthorized(envelope: Envelope, evidence: Evidence): Fault {
  const { error, description } = envelope;
  if (error === "dpop_error") return Fault.of("AUTH_FAILED", "dpop_required", { evidence });
  if (error === "restricted_language_server_client_error") {
    return Fault.of("AUTH_FAILED", "wrong_kind", { evidence });
  }
  if (error === "invalid_token" || error === "") {
    if (/\bexpired\b/i.test(description)) return Fault.of("AUTH_FAILED", "expired", { evidence });
    if (/\brevoked\b/i.test(description)) return Fault.of("AUTH_FAILED", "revoked", { evidence });
    if (/\bimpersonation\b/i.test(description)) {
      return Fault.of("AUTH_FAILED", "impersonation_disabled", { evidence });
    }
  }
  return Fault.of("AUTH_FAILED", "unknown_token", { evidence });
}

/** GitLab's `user_access_denied_reason.rb`; the sentences differ a little between versions, the words matched here do not. */
const ACCOUNT_STATES = [
  [/pending approval/i, "pending_approval"],
  [/terms of service/i, "terms"],
  [/deactivated/i, "deactivated"],
  [/not confirmed/i, "email_unconfirmed"],
  [/password expired/i, "password_expired"],
  [/blocked/i, "blocked"],
] as const;

/** The account's state in GitLab's words, which are the same over git; null when they are about something else. */
export function accountFault(words: string, evidence: Evidence): Fault | null {
  const state = ACCOUNT_STATES.find(([pattern]) => pattern.test(words));
  return state ? Fault.of("ACCOUNT_UNUSABLE", state[1], { evidence }) : null;
}

function forbidden(answer: Answer, envelope: Envelope, evidence: Evidence): Fault {
  const { error, message } = envelope;
  if (error === "insufficient_scope") return Fault.of("INSUFFICIENT_SCOPES", "missing_api", { evidence });
  if (error === "insufficient_granular_scope") {
    return Fault.of("INSUFFICIENT_SCOPES", "missing_permissions", { evidence });
  }
  const creation = isCreation(answer) ? classifyCreation(answer, envelope, evidence) : null;
  if (creation) return creation;
  if (/internal users/i.test(message)) return Fault.of("AUTH_FAILED", "wrong_kind", { evidence });
  if (message.startsWith("403 Forbidden - ")) {
    const account = accountFault(message, evidence);
    if (account) return account;
  }
  if (/read-only instance/i.test(message)) return Fault.of("GITLAB_UNAVAILABLE", "read_only", { evidence });
  const needs = neededLevel(answer);
  return Fault.of("INSUFFICIENT_ROLE", "", { evidence: { ...evidence, ...(needs ? { needs } : {}) } });
}

/** The role GitLab asks for at this place: hooks and deploy keys 40, statuses 30, reading code 20. */
function neededLevel(answer: Answer): string | null {
  const { pathTemplate } = answer;
  if (/\/(hooks|deploy_keys)\b/.test(pathTemplate)) return "Maintainer";
  if (/\/statuses\b/.test(pathTemplate)) return "Developer";
  if (/\/repository\b/.test(pathTemplate)) return "Reporter";
  return null;
}

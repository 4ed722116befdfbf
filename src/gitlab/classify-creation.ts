import { Fault, type Evidence } from "../faults/fault.ts";
import type { Answer } from "./answer.ts";
import { toSentence, type Envelope } from "./words.ts";

/** Whether an answer is about a project that was to be made, by whatever way. */
export function isCreation({ method, pathTemplate }: Answer): boolean {
  return method === "POST" && /^\/projects(\/user\/:\w+)?$/.test(pathTemplate);
}

/**
 * `POST /projects` refused, 400, 403 or 422 (`lib/api/projects.rb`, `projects/create_service.rb`); null: the refusal is none of these. Only fields
 * with texts count: old versions add empty ones.
 */
export function classifyCreation(answer: Answer, envelope: Envelope, evidence: Evidence): Fault | null {
  if (answer.status === 403) return forbidden(answer, envelope, evidence);
  const words = toSentence(envelope);
  if (/Unable to access repository/i.test(words)) return Fault.of("IMPORT_UNREACHABLE", "", { evidence });
  const blocked =
    /^Requests to .*(not allowed|denied)|^Host cannot be resolved|^Only allowed (schemes|ports)/i;
  if (blocked.test(envelope.message)) return Fault.of("IMPORT_BLOCKED", "", { evidence });
  for (const [field, texts] of envelope.fields) {
    const fault = fieldFault(field, texts.join(", "), evidence);
    if (fault) return fault;
  }
  return null;
}

/**
 * The limit's refusal is a list; a bare 403 has no other source here than the import source that is switched off, when a URL was to be imported.
 */
function forbidden(answer: Answer, envelope: Envelope, evidence: Evidence): Fault | null {
  if (/limit|personal namespace|Personal project creation/i.test(envelope.error)) {
    return Fault.of("PROJECT_LIMIT_REACHED", "", { evidence });
  }
  const imported = answer.sent?.includes("import_url") ?? false;
  if (imported && envelope.message === "403 Forbidden") return Fault.of("IMPORT_DISABLED", "", { evidence });
  return null;
}

function fieldFault(field: string, words: string, evidence: Evidence): Fault | null {
  if (/already been taken/.test(words) && /\b(name|path)$/.test(field)) {
    return Fault.of("NAME_TAKEN", "", { evidence });
  }
  switch (field) {
    case "namespace":
      return Fault.of("NAMESPACE_FORBIDDEN", "", { evidence });
    case "visibility_level":
      return Fault.of("VISIBILITY_RESTRICTED", "", { evidence });
    case "limit_reached":
      return Fault.of("PROJECT_LIMIT_REACHED", "", { evidence });
    case "user":
      return /import/.test(words) ? Fault.of("IMPORT_FORBIDDEN", "", { evidence }) : null;
    case "import_url":
      return Fault.of(/blocked/.test(words) ? "IMPORT_BLOCKED" : "IMPORT_UNREACHABLE", "", { evidence });
    default:
      return /(^|\.)(name|path)$/.test(field) ? Fault.of("NAME_INVALID", "", { evidence }) : null;
  }
}

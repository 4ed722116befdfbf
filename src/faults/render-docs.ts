import { AREAS, explain } from "./catalogue.ts";
import { CODES, type FaultCode } from "./codes.ts";

const EXAMPLE = "https://git.example.com";

const HEAD = `# Errors

Every error has a \`code\` that never changes its meaning and, where it helps, a finer \`reason\`. The API answers with RFC 9457
problem+json: \`type\`, \`title\`, \`status\`, \`detail\` (the cause), \`code\`, \`reason\`, \`fix\` (steps), \`evidence\` (what was seen: status,
GitLab's own words, its \`requestId\` for its administrator) and \`requestId\`. Commands print the same, and give it with \`--json\`. Where
the GitLab in question is known, the steps link into it, for its version; here they are shown for \`${EXAMPLE}\`.

This page is made from \`src/faults/catalogue.ts\`, and a test compares the two.
`;

/** The text of docs/errors.md. */
export function renderErrorDocs(): string {
  const sections = AREAS.map(([area, entries]) => {
    const codes = Object.keys(entries).filter(isCode);
    return `## ${area}\n\n${codes.map(renderCode).join("\n")}`;
  });
  return `${HEAD}\n${sections.join("\n")}`;
}

function isCode(name: string): name is FaultCode {
  return Object.hasOwn(CODES, name);
}

function renderCode(code: FaultCode): string {
  const reasons: readonly string[] = CODES[code];
  return reasons.map((reason) => renderReason(code, reason)).join("\n");
}

function renderReason(code: FaultCode, reason: string): string {
  const { title, cause, fix } = explain(
    { code, reason, evidence: { host: "git.example.com" } },
    { baseUrl: EXAMPLE },
  );
  const name = reason === "" ? `\`${code}\`` : `\`${code}\` · \`${reason}\``;
  return `### ${name}\n\n**${title}.** ${cause}\n\n${fix.map((step) => `- ${step}`).join("\n")}\n`;
}

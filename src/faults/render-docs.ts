import { AREAS, explain } from "./catalogue.ts";
import { CODES, type FaultCode } from "./codes.ts";
import { KNOWN_MESSAGES } from "./known-messages.ts";
import { createMenus } from "./menus.ts";
import { SYMPTOMS } from "./symptoms.ts";

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
  return [HEAD, renderKnown(), ...sections, renderSymptoms(), renderPlaces()].join("\n");
}

function renderKnown(): string {
  const rows = KNOWN_MESSAGES.map(({ message, means, now, todo }) => {
    const names = now.map(([code, reason]) => linkTo(code, reason)).join(", ");
    return `### ${message}\n\n${means}\n\n- Here it is called: ${names}.\n- ${todo}\n`;
  });
  return `## Messages that users of other integrations know\n\n${rows.join("\n")}`;
}

/** As GitLab and GitHub make the anchor of a heading. */
function linkTo(code: FaultCode, reason: string): string {
  const anchor = `${code}${reason === "" ? "" : `--${reason}`}`.toLowerCase();
  return `[${nameOf(code, reason)}](#${anchor})`;
}

function nameOf(code: FaultCode, reason: string): string {
  return reason === "" ? `\`${code}\`` : `\`${code}\` · \`${reason}\``;
}

function renderSymptoms(): string {
  const rows = SYMPTOMS.map(({ seen, fault, note }, index) => {
    const answer = fault === null ? "no error" : linkTo(fault[0], fault[1]);
    return `| ${index + 1} | ${seen} | ${answer} | ${note} |`;
  });
  const head = "| # | what GitLab shows | here | told apart by, or why not |\n| --- | --- | --- | --- |";
  return `## What GitLab shows, and what it is\n\n${head}\n${rows.join("\n")}\n`;
}

/** The first version of each range in which something is called otherwise. */
const RANGES = [
  "10.5",
  "11.0",
  "12.2",
  "12.10",
  "13.0",
  "14.0",
  "14.1",
  "16.0",
  "16.4",
  "16.7",
  "17.0",
  "18.0",
  "18.6",
  "19.0",
];

function renderPlaces(): string {
  const rows = RANGES.map((version) => {
    const menus = createMenus(version);
    const cells = [
      `${menus.tokens}; \`${menus.tokenPaths[0]}\`${menus.prefill === "" ? "" : ", can be filled in by a link"}`,
      menus.admin,
      ["project", ...menus.members].join(" > "),
      `project > Settings > ${menus.webhooks}`,
      menus.importSettings,
    ];
    return `| ${version} | ${cells.join(" | ")} |`;
  });
  const head =
    "| from | access tokens | administrator's area | members | webhooks | import sources: … > Settings > General |\n| --- | --- | --- | --- | --- | --- |";
  return `## Where things are in GitLab\n\nEach row holds up to the next one.\n\n${head}\n${rows.join("\n")}\n`;
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
  return `### ${nameOf(code, reason)}\n\n**${title}.** ${cause}\n\n${fix.map((step) => `- ${step}`).join("\n")}\n`;
}

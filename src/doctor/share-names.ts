import type { Check, Diagnosis } from "./diagnosis.ts";

/** Names in a diagnosis that say whose GitLab it is about. */
export interface Names {
  readonly hosts: ReadonlySet<string>;
  /** Word → what it names. */
  readonly words: ReadonlyMap<string, string>;
  /** Replaced only where it stands in quotation marks: it may be any word, `token` say. */
  readonly tokenName: string | null;
}

export const URLS = /https?:\/\/([^\s/"'<>()”,;:]+|\[[0-9a-f:.]+\])(:\d+)?(\/[^\s"'<>()”,;]*)?/gi;
const HOST_AND_PORT = /(?<![\w.@/-])((?:[a-z0-9-]+\.)+[a-z]{2,}|[a-z][a-z0-9-]*)(?=:\d{2,5}\b)/gi;
/** `group/project` as a word of its own. */
const PATH = /(?:^| )([\p{L}\p{N}_.-]+(?:\/[\p{L}\p{N}_.-]+)+)/u;
/** `group/project: …` at the beginning of a line or of a part. */
const LED = /(?:^|\n|, )([^\s:,]+\/[^\s:,]+): /g;

export function namesIn(diagnosis: Diagnosis): Names {
  const words = new Map<string, string>();
  const hosts = new Set<string>(textsOf(diagnosis).flatMap(hostsIn));
  const learn = (value: unknown, kind: string): void => {
    if (typeof value === "string" && value.length > 1) words.set(value, kind);
  };
  learnFacts(diagnosis, learn, hosts);
  for (const check of diagnosis.checks) {
    for (const [kind, word] of namesOfCheck(check)) learn(word, kind);
    if (check.id === "net.dns") hosts.add((check.title.split(" ")[0] ?? "").toLowerCase());
  }
  return { hosts, words, tokenName: diagnosis.token?.name ?? null };
}

const KINDS = { issuer: "authority", subject: "subject", project: "project" } as const;

function learnFacts(
  { token, error }: Diagnosis,
  learn: (value: unknown, kind: string) => void,
  hosts: Set<string>,
): void {
  learn(token?.user, "user");
  for (const [name, kind] of Object.entries(KINDS)) learn(error?.evidence[name], kind);
  const host = error?.evidence["host"];
  if (typeof host === "string") hosts.add(host.replace(/:\d+$/, "").toLowerCase());
}

function hostsIn(text: string): string[] {
  return [...text.matchAll(URLS), ...text.matchAll(HOST_AND_PORT)].flatMap(([, host]) =>
    host === undefined ? [] : [host.toLowerCase()],
  );
}

/** Names that stand in a check's own sentences. */
function namesOfCheck({ id, title, evidence }: Check): readonly (readonly [kind: string, word: unknown])[] {
  const facts = evidence ?? "";
  const led = [...facts.matchAll(LED)].map(([, word]) => word);
  if (id === "tls.chain") return [["authority", /signed by (.+), valid until/.exec(facts)?.[1]]];
  if (id === "hook.gap") return led.map((word) => ["app", word]);
  if (!/^(project|git\.read|hook|status)/.test(id)) return [];
  return [["project", PATH.exec(title)?.[1]], ...led.map((word) => ["project", word] as const)];
}

function textsOf({ instance, checks, error }: Diagnosis): readonly string[] {
  const facts = Object.values(error?.evidence ?? {}).filter((value) => typeof value === "string");
  return [
    instance.url,
    ...checks.flatMap(({ title, evidence, fix }) => [title, evidence ?? "", fix ?? ""]),
    ...(error ? [error.title, error.cause, ...error.fix, ...facts] : []),
  ];
}

/** GitLab's error envelopes, flattened. The order of the keys says where in GitLab a refusal came from: see `classify.ts`. */
export interface Envelope {
  /** `message` when it is text, or `message.error` of the application rate limiter. */
  readonly message: string;
  /** `error` when it is text; an array's texts joined. */
  readonly error: string;
  readonly description: string;
  /** Field errors of a model: `deploy_key.fingerprint_sha256` → texts. Only fields that have any (old versions send empty arrays). */
  readonly fields: ReadonlyMap<string, readonly string[]>;
}

/** null: not an object, so not an answer of GitLab's API. */
export function toEnvelope(json: unknown): Envelope | null {
  if (!isRecord(json)) return null;
  const message = json["message"];
  const fields = isRecord(message) ? toFields(message) : new Map<string, readonly string[]>();
  const limiterText = isRecord(message) && typeof message["error"] === "string" ? message["error"] : "";
  return {
    message:
      typeof message === "string"
        ? message
        : Array.isArray(message)
          ? toTexts(message).join(". ")
          : limiterText,
    error: toTexts(json["error"]).join(" "),
    description: typeof json["error_description"] === "string" ? json["error_description"] : "",
    fields,
  };
}

/** The envelope as one sentence, for evidence. */
export function toSentence(envelope: Envelope): string {
  const fields = [...envelope.fields].map(([field, texts]) => `${field} ${texts.join(", ")}`);
  const parts = [envelope.message, envelope.error, envelope.description, ...fields];
  return [...new Set(parts.filter((part) => part !== ""))].join(": ");
}

function toFields(message: Record<string, unknown>): Map<string, readonly string[]> {
  const fields = Object.entries(message).map(([field, value]): [string, string[]] => [field, toTexts(value)]);
  return new Map(fields.filter(([, texts]) => texts.length > 0));
}

function toTexts(value: unknown): string[] {
  const items: unknown[] = Array.isArray(value) ? value : [value];
  return items.filter((item) => typeof item === "string");
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** A web page's title, or the start of its text: enough to recognise a login page or a proxy, not a way to read foreign pages. */
export function toPageTitle(html: string): string {
  const title = /<title[^>]*>([^<]{0,300})/i.exec(html)?.[1]?.trim();
  if (title !== undefined && title !== "") return title.slice(0, 200);
  return html
    .slice(0, 4096)
    .replaceAll(/<[^>]*>/g, " ")
    .replaceAll(/\s+/g, " ")
    .trim()
    .slice(0, 200);
}

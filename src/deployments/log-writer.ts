import { sql } from "kysely";
import type { Store } from "../store/store.ts";

/** The build log of one deployment as its worker writes it. */
export interface DeploymentLog extends AsyncDisposable {
  /** Adds a line. Never throws, never waits: lines are stored in batches behind the caller's back. */
  line(text: string): void;
  /** Resolves when every line so far is stored. */
  flush(): Promise<void>;
}

const BATCH_MS = 150;
const LINE_CHARS = 8 * 1024;
/** A build that prints more than this is cut off with a note: a log is for reading. */
const TOTAL_CHARS = 20 * 1024 * 1024;

export async function openLog(
  store: Store,
  deploymentId: string,
  redact: (text: string) => string,
  onError: (error: unknown) => void,
): Promise<DeploymentLog> {
  const last = await store.db
    .selectFrom("log_chunk")
    .select((eb) => eb.fn.max("seq").as("seq"))
    .where("deployment_id", "=", deploymentId)
    .executeTakeFirst();
  let seq = (last?.seq ?? 0) + 1;
  let total = 0;
  let waiting: string[] = [];
  let timer: NodeJS.Timeout | null = null;
  let storing: Promise<void> = Promise.resolve();

  const flush = (): Promise<void> => {
    if (timer) clearTimeout(timer);
    timer = null;
    const lines = waiting;
    if (lines.length === 0) return storing;
    waiting = [];
    const first = seq;
    seq += lines.length;
    storing = storing.then(() => storeLines(store, deploymentId, first, lines)).catch(onError);
    return storing;
  };
  return {
    line(text) {
      if (total > TOTAL_CHARS) return;
      total += text.length;
      const readable = redact(text.length > LINE_CHARS ? `${text.slice(0, LINE_CHARS)} …` : text).replaceAll(
        "\0",
        "",
      );
      waiting.push(total > TOTAL_CHARS ? "… the log is cut off here: it is longer than 20 MB" : readable);
      if (waiting.length >= 500) void flush();
      else timer ??= setTimeout(() => void flush(), BATCH_MS);
    },
    flush,
    [Symbol.asyncDispose]: flush,
  };
}

async function storeLines(
  store: Store,
  deploymentId: string,
  first: number,
  lines: readonly string[],
): Promise<void> {
  await sql`insert into log_chunk (deployment_id, seq, text)
    select ${deploymentId}, ${first}::int + (n - 1)::int, line
    from unnest(${lines}::text[]) with ordinality as t (line, n)
    on conflict do nothing`.execute(store.db);
  await store.notify("log", deploymentId);
}

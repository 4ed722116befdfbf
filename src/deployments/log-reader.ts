import type { Store } from "../store/store.ts";
import { sleep } from "../kernel/clock.ts";
import type { LogLine } from "./deployments.ts";
import { TERMINAL_STATES } from "./state.ts";

const PAGE = 1000;

/** Stored lines first; with `follow` then what comes, until the deployment has ended and everything is read, or the signal aborts. */
export async function* readLog(
  store: Store,
  deploymentId: string,
  options: { readonly follow: boolean; readonly signal: AbortSignal },
): AsyncIterable<LogLine> {
  await using wake = await createWake(store, deploymentId, options);
  let after = 0;
  while (!options.signal.aborted) {
    const ended = await hasEnded(store, deploymentId); // asked before reading: what is written before the end is then seen
    const lines = await readPage(store, deploymentId, after);
    yield* lines;
    after = lines.at(-1)?.seq ?? after;
    if (lines.length === PAGE) continue;
    if (ended || !options.follow) return;
    await wake.wait();
  }
}

async function readPage(store: Store, deploymentId: string, after: number): Promise<LogLine[]> {
  return store.db
    .selectFrom("log_chunk")
    .select(["seq", "at", "text"])
    .where("deployment_id", "=", deploymentId)
    .where("seq", ">", after)
    .orderBy("seq")
    .limit(PAGE)
    .execute();
}

async function hasEnded(store: Store, deploymentId: string): Promise<boolean> {
  const row = await store.db
    .selectFrom("deployment")
    .select("state")
    .where("id", "=", deploymentId)
    .executeTakeFirst();
  return row === undefined || TERMINAL_STATES.includes(row.state);
}

/** Wakes at a notification or after a second, whatever comes first: notifications are hints. */
async function createWake(
  store: Store,
  deploymentId: string,
  options: { readonly follow: boolean; readonly signal: AbortSignal },
): Promise<AsyncDisposable & { wait(): Promise<void> }> {
  let ring = new AbortController();
  const subscription = options.follow
    ? await store.listen("log", (payload) => {
        if (payload === deploymentId) ring.abort();
      })
    : null;
  return {
    async wait() {
      await sleep(1000, AbortSignal.any([ring.signal, options.signal])).catch(() => {}); // woken early is not a failure
      ring = new AbortController();
    },
    async [Symbol.asyncDispose]() {
      await subscription?.[Symbol.asyncDispose]();
    },
  };
}

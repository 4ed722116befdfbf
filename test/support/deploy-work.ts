import { onTestFinished } from "vitest";
import { runWorker } from "../../src/deployments/worker.ts";
import { Fault } from "../../src/faults/fault.ts";
import { waitUntil } from "../../src/kernel/retry.ts";
import { createTestStore } from "./database.ts";
import { createStage, type Stage } from "./deploy-stage.ts";

/** A stage that lasts as long as the test. */
export async function openStage(): Promise<Stage> {
  const store = await createTestStore();
  const stage = await createStage(store);
  onTestFinished(async () => {
    await stage[Symbol.asyncDispose]();
    await store[Symbol.asyncDispose]();
  });
  return stage;
}

/** Runs a worker for as long as the test; returns how to stop it and wait for its end. */
export function work(stage: Stage, parts = stage.parts): () => Promise<void> {
  const stopping = new AbortController();
  const done = runWorker(parts, 4, stopping.signal);
  const stop = async (): Promise<void> => {
    stopping.abort(Fault.of("LOST_WORKER", "", { message: "stopping" }));
    await done;
  };
  onTestFinished(stop);
  return stop;
}

export async function until(condition: () => Promise<boolean>): Promise<void> {
  await waitUntil(condition, { everyMs: 20, signal: AbortSignal.timeout(30_000) });
}

/** Waits for that end, and for no other. */
export async function ended(stage: Stage, id: string, state: string): Promise<void> {
  await until(async () => {
    const row = await stage.store.db
      .selectFrom("deployment")
      .select(["state", "fault"])
      .where("id", "=", id)
      .executeTakeFirstOrThrow();
    const terminal = ["live", "failed", "cancelled", "superseded"].includes(row.state);
    if (terminal && row.state !== state)
      throw new Error(`ended as ${row.state}: ${JSON.stringify(row.fault)}`);
    return row.state === state;
  });
}

/** A gate at one call of a port: `reached` resolves when somebody stands at it, `open` lets them pass. */
export function gate(stage: Stage, call: string): { reached: Promise<void>; open: () => void } {
  const reached = Promise.withResolvers<void>();
  const opened = Promise.withResolvers<void>();
  let used = false;
  stage.before = async (name, request) => {
    if (name !== call || used) return;
    used = true;
    reached.resolve();
    await Promise.race([opened.promise, request.signal ? aborted(request.signal) : new Promise(() => {})]);
  };
  return { reached: reached.promise, open: () => opened.resolve() };
}

function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason as Error)));
}

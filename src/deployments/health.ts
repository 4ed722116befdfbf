import { request } from "node:http";
import { Fault } from "../faults/fault.ts";
import { deadline, sleep } from "../kernel/clock.ts";
import type { Replica } from "../runtimes/runtime.ts";
import { step } from "./advance.ts";
import type { Run } from "./context.ts";
import type { Release } from "./release.ts";

/** Twice in a row, so that one lucky answer of a crashing server is not health. */
const WANTED_SUCCESSES = 2;
/** A tenth of the time so far, so that an app is found ready at most a tenth later than it is. */
const SHORTEST_PAUSE_MS = 25;
const LONGEST_PAUSE_MS = 1000;
const ANSWER_MS = 5000;

/** Waits until the replica answers its health path well, twice in a row. Throws `UNHEALTHY`: exited, bad_status or timeout, with its last words. */
export async function waitUntilHealthy(run: Run, release: Release, replica: Replica): Promise<void> {
  await step(run, "health check", async () => {
    const timeout = run.parts.deadlines.healthy;
    const until = deadline(timeout, run.signal);
    let last: Probe = { kind: "silent", why: "no answer yet" };
    const begun = performance.now();
    for (let good = 0; good < WANTED_SUCCESSES;) {
      await sleep(good > 0 ? SHORTEST_PAUSE_MS : pauseAfter(performance.now() - begun), until).catch(
        () => {},
      ); // the loop asks why below
      run.signal.throwIfAborted();
      await refuseExited(run, replica);
      if (until.aborted) throw await unhealthy(run, replica, last);
      last = await probe(replica.port, run.target.host, release.healthPath, until);
      good = last.kind === "good" ? good + 1 : 0;
    }
    run.log.line(`Healthy: GET ${release.healthPath ?? "/"} answers well.`);
  });
}

function pauseAfter(ms: number): number {
  return Math.min(Math.max(ms / 10, SHORTEST_PAUSE_MS), LONGEST_PAUSE_MS);
}

type Probe =
  | { readonly kind: "good" }
  | { readonly kind: "bad"; readonly status: number }
  | { readonly kind: "silent"; readonly why: string };

/** An explicit path must answer 2xx; the default one anything below 500, since many apps greet strangers with 401 or 404. */
async function probe(port: number, host: string, path: string | null, signal: AbortSignal): Promise<Probe> {
  return new Promise((resolve) => {
    const asked = request({
      host: "127.0.0.1",
      port,
      path: path ?? "/",
      headers: { host, "user-agent": "fairlead-health", connection: "close" },
      signal: deadline(ANSWER_MS, signal),
      agent: false,
    });
    asked.once("response", (response) => {
      const status = response.statusCode ?? 0;
      response.destroy();
      const good = path === null ? status < 500 : status >= 200 && status < 300;
      resolve(good ? { kind: "good" } : { kind: "bad", status });
    });
    asked.once("error", (error) =>
      resolve({ kind: "silent", why: "code" in error ? String(error.code) : error.name }),
    );
    // An answer that switches protocols is neither a response nor an error.
    asked.once("close", () => resolve({ kind: "silent", why: "closed without an answer" }));
    asked.end();
  });
}

async function refuseExited(run: Run, replica: Replica): Promise<void> {
  const now = (await run.parts.runtime.list()).find((one) => one.replicaId === replica.replicaId);
  if (now && now.state !== "exited" && now.state !== "backing_off" && now.starts <= 1) return;
  throw Fault.of("UNHEALTHY", "exited", {
    message:
      now?.exitCode === null || !now ? "The app stopped by itself." : `The app exited with ${now.exitCode}.`,
    evidence: { words: await lastWords(run, replica), exitCode: now?.exitCode ?? undefined },
  });
}

async function unhealthy(run: Run, replica: Replica, last: Probe): Promise<Fault> {
  const words = await lastWords(run, replica);
  if (last.kind === "bad") {
    const message = `The health check was answered with ${last.status}.`;
    return Fault.of("UNHEALTHY", "bad_status", { message, evidence: { status: last.status, words } });
  }
  const why = last.kind === "silent" ? last.why : "it did not stay healthy";
  const message = `Nothing healthy answered on PORT within ${Math.round(run.parts.deadlines.healthy / 1000)} s (${why}).`;
  return Fault.of("UNHEALTHY", "timeout", { message, evidence: { words } });
}

/** The end of what the app printed, which mostly says why. Also goes into the deployment's log. */
async function lastWords(run: Run, replica: Replica): Promise<string> {
  const lines: string[] = [];
  const options = { tailLines: 20, follow: false, signal: AbortSignal.timeout(5000) };
  try {
    for await (const line of run.parts.runtime.logs(replica.replicaId, options)) lines.push(line);
  } catch (error) {
    run.parts.log.warn({ error, replica: replica.replicaId }, "the app's output could not be read");
  }
  for (const line of lines) run.log.line(`app: ${line}`);
  return lines.join("\n").slice(-2000);
}

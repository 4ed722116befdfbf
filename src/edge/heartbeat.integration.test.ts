import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import { waitForSilence } from "./heartbeat.ts";

it("hears the silence of an edge that takes calls and never answers, but not a single late answer", async () => {
  const folder = await mkdtemp(join(tmpdir(), "fairlead-heart-"));
  const path = join(folder, "sock");
  let calls = 0;
  const server = createServer((_, response) => {
    calls += 1;
    if (calls <= 4 && calls % 2 === 0) response.end("{}");
  }).listen(path);
  await once(server, "listening");
  await waitForSilence(path, AbortSignal.timeout(20_000), { everyMs: 5, answerMs: 200 });
  expect(calls).toBe(6);
  server.closeAllConnections();
  server.close();
  await rm(folder, { recursive: true });
});

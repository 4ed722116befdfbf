import { expect, test, vi } from "vitest";
import { createHealth } from "./health.ts";

test("ready when every part is; callers within a second share one answer", async () => {
  let now = 0;
  const database = vi.fn(async () => {});
  const health = createHealth({ database }, { clock: { now: () => now } });
  expect((await Promise.all([health.readiness(), health.readiness()]))[0]).toMatchObject({ ready: true });
  expect(database).toHaveBeenCalledTimes(1);
  now = 1000;
  await health.readiness();
  expect(database).toHaveBeenCalledTimes(2);
});

test("a part that throws or never answers is not ready, and does not hide the others", async () => {
  const health = createHealth(
    {
      bad: () => Promise.reject(new Error("/secret/path")),
      stuck: () => new Promise(() => {}),
      good: async () => {},
    },
    { timeoutMs: 20 },
  );
  const readiness = await health.readiness();
  expect(readiness).toMatchObject({
    ready: false,
    parts: { bad: { ok: false }, stuck: { ok: false }, good: { ok: true } },
  });
  expect(JSON.stringify(readiness)).not.toContain("secret");
});

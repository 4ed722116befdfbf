import { describe, expect, test } from "vitest";
import { sleep } from "../kernel/clock.ts";
import { createLimiter } from "./limiter.ts";

const still = { now: () => 1_000_000 };

describe("createLimiter", () => {
  test("runs no more than its slots, in order, and all of them", async () => {
    const limiter = createLimiter(3, still);
    const order: number[] = [];
    let running = 0;
    let most = 0;
    const work = (index: number) =>
      limiter.run(undefined, async () => {
        order.push(index);
        most = Math.max(most, ++running);
        await sleep(Math.random() * 3);
        running--;
      });
    await Promise.all(Array.from({ length: 50 }, (_, index) => work(index)));
    expect(most).toBe(3);
    expect(order).toEqual(Array.from({ length: 50 }, (_, index) => index));
  });

  test("a failure frees its slot", async () => {
    const limiter = createLimiter(1, still);
    await expect(limiter.run(undefined, () => Promise.reject(new Error("no")))).rejects.toThrow("no");
    expect(await limiter.run(undefined, async () => "next")).toBe("next");
  });

  test("who stops waiting leaves the line, and the line goes on", async () => {
    const limiter = createLimiter(1, still);
    const { promise, resolve } = Promise.withResolvers<string>();
    const first = limiter.run(undefined, () => promise);
    const stop = new AbortController();
    const second = limiter.run(stop.signal, async () => "never");
    const third = limiter.run(undefined, async () => "third");
    stop.abort(new Error("enough"));
    await expect(second).rejects.toThrow("enough");
    resolve("first");
    expect(await Promise.all([first, third])).toEqual(["first", "third"]);
    await expect(limiter.run(stop.signal, async () => "late")).rejects.toThrow("enough");
  });

  test("slows down when less than a tenth of the limit remains, until it resets", async () => {
    let now = 1_000_000;
    const limiter = createLimiter(8, { now: () => now });
    const headers = (remaining: number) => ({
      "ratelimit-limit": "100",
      "ratelimit-remaining": String(remaining),
      "ratelimit-reset": String((now + 400) / 1000 + 1), // 1.4 s from now
    });
    const time = async () => {
      const started = performance.now();
      await limiter.run(undefined, async () => {});
      return performance.now() - started;
    };
    limiter.observe(headers(50));
    expect(await time()).toBeLessThan(50);
    limiter.observe(headers(7)); // 1,400 ms for 7 requests: one each 200 ms
    expect(await time()).toBeGreaterThanOrEqual(195);
    limiter.observe({ "ratelimit-limit": "x", "ratelimit-remaining": "", "ratelimit-reset": "-1" });
    now += 5_000;
    expect(await time()).toBeLessThan(50);
  });
});

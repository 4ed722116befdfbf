import { randomUUID } from "node:crypto";
import { expect, test } from "vitest";
import { createChains } from "./recursion.ts";

function chains() {
  const time = { now: 1_800_000_000_000 };
  return { time, ...createChains({ now: () => time.now }) };
}

test("a hook is entered once in a chain, and again in the next", () => {
  const { within, enter, time } = chains();
  const id = randomUUID();
  expect(within(id, () => enter(1))).toBe(id);
  expect(within(id, () => enter(1))).toBeNull();
  expect(within(id, () => enter(2))).toBe(id);
  expect(within(randomUUID(), () => enter(1))).not.toBeNull();
  time.now += 30 * 60_000;
  expect(within(id, () => enter(1))).toBe(id);
});

test("a chain has at most a hundred hooks", () => {
  const { within, enter } = chains();
  const id = randomUUID();
  for (let hook = 1; hook <= 100; hook++) expect(within(id, () => enter(hook))).toBe(id);
  expect(within(id, () => enter(101))).toBeNull();
});

test("what is no id of an event starts a chain of its own", () => {
  const { within, enter } = chains();
  for (const bad of [undefined, "", "no-uuid", `${randomUUID()}x`]) {
    const ids = [within(bad, () => enter(1)), within(bad, () => enter(1))];
    expect(new Set(ids).size).toBe(2);
    expect(ids).not.toContain(null);
  }
});

test("the chain holds across awaits and does not leak into other requests", async () => {
  const { within, enter } = chains();
  const [one, two] = [randomUUID(), randomUUID()];
  const slow = async () => {
    await new Promise((resolve) => setImmediate(resolve));
    return enter(1);
  };
  expect(await Promise.all([within(one, slow), within(two, slow)])).toEqual([one, two]);
});

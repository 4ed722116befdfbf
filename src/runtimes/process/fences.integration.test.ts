import { mkdtemp, readdir, rm, utimes } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createFences, pruneFences, safeName } from "./fences.ts";

describe("fences", () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "fairlead-fences-"));
  });
  afterEach(async () => rm(folder, { recursive: true, force: true }));

  it("let the highest attempt of a deployment pass, however often, and refuse lower ones from then on", async () => {
    const [one, two] = [createFences(folder), createFences(folder)];
    const at = (attempt: number) => ({ deploymentId: "dep_a", attempt });
    await one.raise(at(9));
    await two.raise(at(9));
    await two.raise(at(10)); // as numbers: as words 9 is the higher one
    await expect(one.raise(at(9))).rejects.toMatchObject({ code: "LOST_WORKER" });
    await expect(one.check(at(9))).rejects.toMatchObject({ code: "LOST_WORKER" });
    await one.check(at(10));
    await one.raise({ deploymentId: "dep_b", attempt: 1 });
  });

  it("give each caller a turn of its own, and only the last one passes", async () => {
    const turns = await Promise.all(
      Array.from({ length: 30 }, async () => createFences(folder).next("build-env")),
    );
    const numbers = turns.map((turn) => turn.attempt).toSorted((a, b) => a - b);
    expect(numbers).toEqual(Array.from({ length: 30 }, (_, i) => i + 1));
    const fences = createFences(folder);
    const passing = await Promise.allSettled(turns.map(async (turn) => fences.check(turn)));
    expect(passing.filter((one) => one.status === "fulfilled")).toHaveLength(1);
  });

  it("do not grow with the number of turns, and are forgotten after a month", async () => {
    const fences = createFences(folder);
    for (let i = 0; i < 20; i++) await fences.next("build-env");
    expect((await readdir(join(folder, "build-env"))).length).toBeLessThanOrEqual(2);
    expect((await fences.next("build-env")).attempt).toBe(21);
    await fences.raise({ deploymentId: "dep_a", attempt: 1 });
    const long = Date.now() / 1000 - 31 * 24 * 60 * 60;
    await utimes(join(folder, "build-env"), long, long);
    await pruneFences(folder, Date.now());
    expect(await readdir(folder)).toEqual(["dep_a"]);
  });

  it.each(["", ".", "..", "../x", "a/b", "a\0", "a\n", "-x", "ä", "a".repeat(200)])(
    "never leave their folder: %j",
    (id) => {
      expect(() => safeName(id)).toThrow("not allowed");
    },
  );
});

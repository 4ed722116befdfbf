import { describe, expect, it } from "vitest";
import { describeBuilds } from "./runtime-builds.suite.ts";
import { describeLogs } from "./runtime-logs.suite.ts";
import { describeReplicas } from "./runtime-replicas.suite.ts";
import { useWorld, type RuntimeUnderTest } from "./runtime-world.suite.ts";

/** What `runtime.ts` promises, for every adapter. */
export function describeRuntime(name: string, make: () => Promise<RuntimeUnderTest>): void {
  describe(`runtime: ${name}`, () => {
    const world = useWorld(make);

    describe("isolation", () => {
      it("says what it found and stays with it", async () => {
        const first = await world.runtime.isolation();
        expect(first.explanation).toMatch(/^[A-Z].*\.$/s);
        expect(await world.runtime.isolation()).toEqual(first);
      });
    });

    describeBuilds(world);
    describeReplicas(world);
    describeLogs(world);
  });
}

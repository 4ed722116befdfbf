import { expect } from "vitest";
import { createEdgeHome } from "../../test/support/edge-process.ts";
import { describeEdge } from "./edge.suite.ts";

describeEdge("embedded edge", async () => {
  await using held = new AsyncDisposableStack();
  const home = held.use(await createEdgeHome());
  const edge = await home.supervise();
  const owned = held.move();
  return {
    edge,
    crash: async () => {
      const { pid } = await edge.status();
      process.kill(pid, "SIGKILL");
      await expect.poll(async () => (await edge.status()).pid, { timeout: 10_000 }).not.toBe(pid);
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
});

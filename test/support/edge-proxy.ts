import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { createCounters } from "../../src/edge/counters.ts";
import { createProxy } from "../../src/edge/proxy.ts";
import { NO_ROUTES, withSwitch } from "../../src/edge/routes.ts";
import { createUpstreams } from "../../src/edge/upstreams.ts";

type Address = { readonly host: string; readonly port: number };

/** A proxy in this process; `a.test` leads to the given targets. */
export async function startProxy(
  targets: readonly Address[],
  limits: Parameters<typeof createProxy>[0]["limits"] = {},
  trustForwarded = false,
) {
  let table = NO_ROUTES;
  let generation = 0;
  const upstreams = createUpstreams(table);
  const counters = createCounters();
  const proxy = createProxy({ upstreams, counters, limits, trustForwarded });
  const point = (to: readonly Address[]): void => {
    const route = {
      host: "a.test",
      environmentId: "e",
      releaseId: "r",
      targets: to,
      generation: ++generation,
    };
    const before = table;
    ({ table } = withSwitch(table, route));
    upstreams.serve(before, table);
  };
  point(targets);
  proxy.server.listen(0, "127.0.0.1");
  await once(proxy.server, "listening");
  const { port } = proxy.server.address() as AddressInfo;
  return {
    address: { host: "127.0.0.1", port },
    point,
    counters,
    underway: (target: Address) => upstreams.get(target)?.underway,
    [Symbol.asyncDispose]: async () => {
      await proxy.close(0);
      upstreams.close();
    },
  };
}

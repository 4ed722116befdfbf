import { describe, expect, it } from "vitest";
import { eventually, useWorld } from "../runtime-world.suite.ts";
import { findControlGroups } from "./control-groups.ts";
import { openProcessRuntime } from "./process-world.suite.ts";

const groups = await findControlGroups();

describe.skipIf(groups === null)(
  `limits by control groups${groups === null ? ": skipped, none can be made" : ""}`,
  () => {
    const world = useWorld(async () => openProcessRuntime("unshare"));

    it("end a replica that takes too much memory, and it is started again", async () => {
      const script = `const kept = []; setInterval(() => kept.push(Buffer.alloc(8_000_000, 1)), 10);`;
      const request = await world.startOf({ "app.mjs": script }, ["node", "app.mjs"], {
        limits: { memoryMb: 96, processes: 64 },
      });
      await world.runtime.start(request);
      const ended = await eventually(async () => {
        const replica = await world.find(request.replicaId);
        return replica?.exitCode === 137 ? replica : null;
      });
      expect(ended.starts).toBeGreaterThanOrEqual(1);
      await world.runtime.stop(request.replicaId, null, 0);
    });

    it("keep a replica from taking all processes, and its bomb can be stopped", async () => {
      const script = `import { spawn } from "node:child_process"; let refused = false;
      for (let i = 0; i < 200; i++) {
        try { spawn("sleep", ["60"]).on("error", (e) => { if (!refused) console.log("refused " + e.code); refused = true; }); }
        catch (e) { if (!refused) console.log("refused " + e.code); refused = true; }
      } setInterval(() => {}, 1000);`;
      const request = await world.startOf({ "app.mjs": script }, ["node", "app.mjs"], {
        limits: { memoryMb: 256, processes: 48 },
      });
      await world.runtime.start(request);
      await eventually(async () => {
        const lines: string[] = [];
        const options = { tailLines: 10, follow: false, signal: new AbortController().signal };
        for await (const line of world.runtime.logs(request.replicaId, options)) lines.push(line);
        return lines.includes("refused EAGAIN");
      });
      await world.runtime.stop(request.replicaId, null, 0);
      expect(await world.find(request.replicaId)).toBeNull();
    });
  },
);

import { existsSync } from "node:fs";
import { mkdir, readFile, readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { deadline } from "../../kernel/clock.ts";
import { newId } from "../../kernel/ids.ts";
import { launch } from "../../kernel/run.ts";
import { BEAT, HIDE } from "../runtime-builds.suite.ts";
import {
  SERVE,
  answerOf,
  collect,
  eventually,
  expectFree,
  expectSilence,
  useWorld,
} from "../runtime-world.suite.ts";
import { findProcess, isAlive } from "./processes.ts";
import { drawMethods, openProcessRuntime, whyNot } from "./process-world.suite.ts";
import { findClaim, findState } from "./replica-files.ts";

const PARENT = fileURLToPath(new URL("parent.fixture.ts", import.meta.url));

for (const method of drawMethods()) {
  const reason = whyNot(method);
  describe.skipIf(reason !== null)(
    `crashes by ${method}${reason === null ? "" : `: skipped, ${reason}`}`,
    () => {
      const world = useWorld(async () => openProcessRuntime(method, { logBytes: 20_000 }));
      const dataDir = (): string => join(world.under.folder, "..");
      const folderOf = (replicaId: string): string => join(dataDir(), "replicas", replicaId);

      function parent(order: object) {
        const options = {
          dataDir: dataDir(),
          baseEnv: { PATH: process.env["PATH"] ?? "" },
          methods: [method],
          allowUnisolated: method === "none",
        };
        const said: string[] = [];
        const program = launch(process.execPath, [PARENT, JSON.stringify({ options, ...order })], {
          env: {},
        });
        for (const stream of [program.stdout, program.stderr]) {
          stream?.on("data", (chunk: Buffer) => said.push(...chunk.toString().split("\n").filter(Boolean)));
        }
        return { program, said, signal: (name: NodeJS.Signals) => process.kill(program.pid ?? 0, name) };
      }

      it("a replica dies with its launcher, is listed as exited, and can be started again", async () => {
        const request = await world.startOf({ "app.mjs": SERVE }, ["sh", "-c", "node app.mjs & wait"]);
        const { port } = await world.runtime.start(request);
        await answerOf(port);
        const claim = await findClaim(folderOf(request.replicaId));
        process.kill(claim!.pid, "SIGKILL");
        await eventually(async () => {
          try {
            await expectFree(port);
            return true;
          } catch {
            return false;
          }
        });
        expect(await world.find(request.replicaId)).toMatchObject({ state: "exited", port });
        const again = await world.runtime.start(request);
        expect(await answerOf(again.port)).toBe("undefined");
        await world.runtime.stop(request.replicaId, null, 1_000);
        expect(existsSync(folderOf(request.replicaId))).toBe(false);
      });

      it("a replica outlives the Fairlead that started it, a build does not", async () => {
        const start = await world.startOf({ "app.mjs": SERVE }, ["node", "app.mjs"]);
        const commands = [["sh", "-c", "node hide.mjs; echo began; sleep 60"]] as const;
        const build = await world.buildOf(commands, {}, { "hide.mjs": HIDE, "beat.mjs": BEAT });
        const { program, said, signal } = parent({ start, build });
        await eventually(() => said.includes("line began"));
        program.kill("SIGINT"); // what a terminal sends to all of the foreground
        signal("SIGKILL");
        await program.ended;
        const replica = await world.find(start.replicaId);
        expect(replica).toMatchObject({ state: "running", starts: 1 });
        expect(await answerOf(replica!.port)).toBe("undefined");
        // Without namespaces what hid from the build is found by the next one.
        if (method === "uid" || method === "none") {
          const next = await world.buildOf([["true"]], { environmentId: build.environmentId });
          await world.runtime.build(next);
        } else {
          await new Promise((resolve) => setTimeout(resolve, 200));
        }
        await expectSilence(build.workspace);
        await world.runtime.stop(start.replicaId, null, 1_000);
        await expectFree(replica!.port);
      });

      it("a stopped Fairlead's build is ended by a newer one, and it hears so when it goes on", async () => {
        const commands = [["sh", "-c", "node hide.mjs; echo began; sleep 60"]] as const;
        const build = await world.buildOf(commands, {}, { "hide.mjs": HIDE, "beat.mjs": BEAT });
        const { program, said, signal } = parent({ build });
        try {
          await eventually(() => said.includes("line began"));
          signal("SIGSTOP");
          const next = await world.buildOf([["true"]], {
            environmentId: build.environmentId,
            fence: { ...build.fence, attempt: 2 },
          });
          await world.runtime.build(next);
          await expectSilence(build.workspace);
          signal("SIGCONT");
          expect(await eventually(() => said.find((line) => line.startsWith("failed")))).toBe(
            "failed LOST_WORKER",
          );
        } finally {
          program.kill("SIGKILL");
        }
      });

      it("what is stopped (SIGSTOP) can still be ended", async () => {
        const request = await world.startOf({ "app.mjs": SERVE }, ["node", "app.mjs"]);
        const { port } = await world.runtime.start(request);
        await answerOf(port);
        const state = await findState(folderOf(request.replicaId));
        process.kill(state!.launcher.pid, "SIGSTOP");
        process.kill(state!.sandbox!.wrapper.pid, "SIGSTOP");
        await world.runtime.stop(request.replicaId, null, 200);
        await expectFree(port);
        expect(isAlive(state!.launcher)).toBe(false);
      });

      if (method !== "unshare") return; // the rest does not depend on the way

      it("a process that has the number of a dead launcher is neither adopted nor harmed", async () => {
        const request = await world.startOf({ "app.mjs": SERVE }, ["node", "app.mjs"]);
        await world.runtime.start(request);
        const folder = folderOf(request.replicaId);
        const claim = await findClaim(folder);
        process.kill(claim!.pid, "SIGKILL");
        await eventually(() => !isAlive(claim!));
        const stranger = launch("/bin/sleep", ["60"], { env: {}, output: "ignore" });
        const strange = findProcess(stranger.pid!)!;
        const state = (await findState(folder))!;
        const wrong = { ...strange, startTime: String(Number(strange.startTime) - 1) };
        const otherBoot = { ...strange, boot: "another" };
        await writeFile(join(folder, "launcher.json"), JSON.stringify(wrong));
        await writeFile(
          join(folder, "state.json"),
          JSON.stringify({ ...state, launcher: wrong, sandbox: { wrapper: otherBoot, first: wrong } }),
        );
        expect((await world.find(request.replicaId))?.state).toBe("exited");
        await world.runtime.stop(request.replicaId, null, 1_000);
        expect(isAlive(strange)).toBe(true);
        stranger.kill("SIGKILL");
      });

      it("a half-made replica of a crashed start does not hold its port for ever", async () => {
        const replicaId = newId("rpl");
        await mkdir(folderOf(replicaId));
        await writeFile(join(dataDir(), "runtime", "ports", "18000"), replicaId);
        await writeFile(join(dataDir(), "runtime", "ports", "18001"), newId("rpl"));
        await world.under.another();
        const ports = await readdir(join(dataDir(), "runtime", "ports"));
        expect(ports).toContain("18000"); // it may still be in the making
        expect(ports).not.toContain("18001");
        const request = await world.startOf({ "app.mjs": SERVE }, ["node", "app.mjs"], { replicaId });
        await world.runtime.start(request);
        await world.runtime.stop(replicaId, null, 0);
      });

      it("logs are bounded, and a reader follows them through rotations", async () => {
        const script = `let n = 0; const word = "x".repeat(80);
        setInterval(() => { for (let i = 0; i < 5; i++) console.log(++n + " " + word); if (n >= 1200) process.stdout.write("end\\n"); }, 10);`;
        const request = await world.startOf({ "app.mjs": script }, ["node", "app.mjs"]);
        await world.runtime.start(request);
        const seen: number[] = [];
        for await (const line of world.runtime.logs(request.replicaId, {
          tailLines: 1_000_000,
          follow: true,
          signal: deadline(30_000),
        })) {
          if (line === "end") break;
          seen.push(Number(line.split(" ")[0]));
        }
        expect(seen).toEqual(seen.map((_, i) => seen[0]! + i));
        expect(seen.length).toBeGreaterThan(1_000);
        for (const name of ["out.log", "out.log.1"]) {
          expect((await readFile(join(folderOf(request.replicaId), name))).length).toBeLessThanOrEqual(
            20_000,
          );
        }
        const tail = await collect(
          world.runtime.logs(request.replicaId, { tailLines: 3, follow: false, signal: deadline(5_000) }),
        );
        expect(tail).toHaveLength(3);
        await world.runtime.stop(request.replicaId, null, 0);
      });
    },
  );
}

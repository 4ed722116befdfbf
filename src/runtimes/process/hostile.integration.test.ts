import { chmod, chown, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { run } from "../../kernel/run.ts";
import { METHODS, whyNot, type Method } from "./process-world.suite.ts";

const FIXTURE = fileURLToPath(new URL("hostile.fixture.ts", import.meta.url));
const NOBODY = 65_534;

interface Outcome {
  readonly isolation: { readonly method: string; readonly isolated: boolean };
  readonly build: readonly string[];
  readonly replica: readonly string[];
  readonly planted: readonly string[];
  readonly alive: boolean;
}

/** What hostile programs reach when Fairlead is this user. */
async function attack(method: Method, uid: number): Promise<Outcome> {
  const dataDir = await mkdtemp(join(tmpdir(), "fairlead-hostile-"));
  try {
    await chown(dataDir, uid, uid);
    await chmod(dataDir, 0o700);
    const words = [FIXTURE, dataDir, method, process.env["PATH"] ?? ""];
    const own = process.getuid?.() === uid ? {} : { uid, gid: uid };
    const result = await run(process.execPath, words, { env: {}, timeoutMs: 120_000, ...own });
    return JSON.parse(result.stdout) as Outcome;
  } finally {
    await rm(dataDir, { recursive: true, force: true });
  }
}

const self = process.getuid?.() ?? 0;
const users = self === 0 ? [0, NOBODY] : [self];

describe.each(users)("hostile programs under a Fairlead of user %i", (uid) => {
  for (const method of METHODS.filter((one) => one !== "none" && (one !== "uid" || uid === 0))) {
    const reason = whyNot(method);
    it.skipIf(reason !== null)(
      `reach nothing by ${method}${reason === null ? "" : `: skipped, ${reason}`}`,
      async () => {
        const outcome = await attack(method, uid);
        expect(outcome.isolation).toMatchObject({ method, isolated: true });
        expect(outcome.build).toEqual(["DONE"]);
        expect(outcome.replica).toEqual(["DONE"]);
        expect(outcome.planted).toEqual([]);
        expect(outcome.alive).toBe(true);
      },
    );
  }

  it("reach what they try to where nothing keeps them from it, so that the tests above can fail", async () => {
    const outcome = await attack("none", uid);
    expect(outcome.isolation).toMatchObject({ method: "none", isolated: false });
    for (const said of [outcome.build, outcome.replica]) {
      const reached = said.join("\n");
      for (const what of ["file ", "symlink to ", "socket ", "write ", "signal to "]) {
        expect(reached).toContain(`REACHED ${what}`);
      }
    }
    expect(outcome.build.join("\n")).toContain("REACHED environment of "); // whose process it kills then
    expect(outcome.planted).toHaveLength(3);
    expect(outcome.alive).toBe(false);
  });
});

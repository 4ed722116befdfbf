import { text } from "node:stream/consumers";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { launch, run } from "../../kernel/run.ts";
import { environmentText, INIT_SCRIPT, isSettableName, PROGRAM_SCRIPT } from "./sandbox-scripts.ts";

const DUMP = "process.stdout.write(JSON.stringify([process.argv.slice(1), process.env, process.cwd()]))";

async function through(
  env: Record<string, string>,
  words: readonly string[],
): Promise<[string[], Record<string, string>, string]> {
  const program = [process.execPath, "-e", DUMP, "--", ...words];
  const args = [
    "-c",
    INIT_SCRIPT,
    "init",
    "loose",
    "/bin/sh",
    "-c",
    PROGRAM_SCRIPT,
    "program",
    "/",
    ...program,
  ];
  const shell = launch("/bin/sh", args, { env: {}, keepStdin: true });
  const said = Promise.all([text(shell.stdout!), text(shell.stderr!), shell.ended]);
  shell.stdin!.write(environmentText(env));
  const [stdout, stderr, { exitCode }] = await said;
  shell.stdin!.destroy();
  expect([exitCode, stderr]).toEqual([0, ""]);
  return JSON.parse(stdout) as [string[], Record<string, string>, string];
}

describe("the sandbox's scripts", () => {
  it("hand over any environment and any words exactly", async () => {
    const plain = fc.string({ unit: "grapheme", maxLength: 30 }).filter((value) => !value.includes("\0"));
    const shellish = fc
      .array(
        fc.constantFrom("'", '"', "$x", "`id`", "\\", "\n", "END", " ", ";", "$(id)", "%s", "*", "\r", "ä"),
      )
      .map((parts) => parts.join(""));
    const name = fc
      .stringMatching(/^[A-Za-z_][A-Za-z0-9_]{0,12}$/)
      .filter(
        (one) =>
          isSettableName(one) &&
          !["_", "SHLVL", "PATH"].includes(one) &&
          !one.startsWith("NODE") &&
          !one.startsWith("LD_"),
      );
    const value = fc.oneof(plain, shellish);
    await fc.assert(
      fc.asyncProperty(
        fc.dictionary(name, value, { maxKeys: 6 }),
        fc.array(value, { maxLength: 4 }),
        async (env, words) => {
          const [seenWords, seen, cwd] = await through(env, words);
          expect(seenWords).toEqual(words);
          expect({ ...seen, ...env }).toEqual(seen);
          expect(
            Object.keys(seen).filter(
              (key) => !(key in env) && !["PATH", "_", "SHLVL", "PWD", "OLDPWD"].includes(key),
            ),
          ).toEqual([]);
          expect(cwd).toBe("/");
        },
      ),
      { numRuns: 25 },
    );
  });

  it("hand over an environment of 200 KB", async () => {
    const env = Object.fromEntries(
      Array.from({ length: 20 }, (_, i) => [`BIG_${i}`, `${"x\n".repeat(5_000)}${i}`]),
    );
    const [, seen] = await through(env, []);
    expect(seen).toMatchObject(env);
  });

  it("do not begin when the parent ends before it said so", async () => {
    const args = ["-c", INIT_SCRIPT, "init", "loose", "/bin/echo", "began"];
    const ended = run("/bin/sh", args, { env: {}, input: "export A='1'\n", timeoutMs: 20_000 });
    await expect(ended).rejects.toMatchObject({ exitCode: 125, stdout: "" });
  });

  it.each(["", "1A", "A-B", "A=B", "A B", "A\n", "UID", "PWD", "fairlead_line", "Ä"])(
    "refuse the name %j",
    (name) => {
      expect(isSettableName(name)).toBe(false);
    },
  );
});

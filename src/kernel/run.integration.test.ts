import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "vitest";
import { launch, run, RunError } from "./run.ts";
import { Secret } from "./secret.ts";

const env = { PATH: process.env["PATH"] ?? "" };
const SECRET = "glpat-words-of-a-user";

async function failureOf(running: Promise<unknown>): Promise<RunError> {
  const error = await running.catch((thrown: unknown) => thrown);
  if (error instanceof RunError) return error;
  throw new Error(`no RunError but ${String(error)}`);
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

test("words arrive as they are, and of the environment only what was given", async () => {
  const words = ["$(id)", "a b", "", "*", "';"];
  const script = `process.stdout.write(JSON.stringify([process.argv.slice(1), Object.keys(process.env)]))`;
  const { stdout } = await run(process.execPath, ["-e", script, "--", ...words], {
    env: { ONLY: "this" },
    timeoutMs: 10_000,
  });
  expect(JSON.parse(stdout)).toEqual([words, ["ONLY"]]);
});

test("secrets arrive by standard input and by descriptor 3", async () => {
  const options = { env, timeoutMs: 10_000, input: new Secret("in"), fd3: new Secret("three") };
  expect((await run("sh", ["-c", "cat; cat <&3"], options)).stdout).toBe("inthree");
});

test("a child that ends without reading what it is given harms nobody", async () => {
  const much = "x".repeat(4 * 1024 * 1024);
  const { stdout } = await run("true", [], { env, timeoutMs: 10_000, input: much, fd3: new Secret(much) });
  expect(stdout).toBe("");
});

test.each([
  ["not_found", "/no/such/program", []],
  ["exit", "sh", ["-c", "exit 7"]],
  ["signal", "sh", ["-c", "kill -TERM $$"]],
  ["timeout", "sh", ["-c", "sleep 30"]],
  ["output_limit", "sh", ["-c", "yes"]],
] as const)("ends with %s, and nothing in the error tells the words", async (failure, file, words) => {
  const options = { env: { ...env, HIDDEN: SECRET }, timeoutMs: 700, maxOutputBytes: 1000 };
  const error = await failureOf(run(file, [...words, SECRET], options));
  expect(error.failure).toBe(failure);
  const shown = [error.message, error.stack, JSON.stringify(error), String(error.cause)].join(" ");
  expect(shown).not.toContain(SECRET);
});

test("a deadline ends the whole process group, and is kept though something outside it holds the output open", async () => {
  const since = performance.now();
  // the first child stays in the group, the second leaves it
  const script = "sleep 60 & echo $!; setsid sleep 60 & echo $!; wait";
  const error = await failureOf(run("sh", ["-c", script], { env, timeoutMs: 300 }));
  const [inside = 0, outside = 0] = error.stdout.trim().split("\n").map(Number);
  process.kill(outside, "SIGKILL");
  expect(error.failure).toBe("timeout");
  expect(performance.now() - since).toBeLessThan(20_000);
  for (let tries = 0; isAlive(inside) && tries < 200; tries++) await sleep(10);
  expect(isAlive(inside)).toBe(false);
});

test("an abort stops it, also one that came before the start", async () => {
  const signal = AbortSignal.timeout(200);
  for (let round = 0; round < 2; round++) {
    const error = await failureOf(run("sleep", ["30"], { env, timeoutMs: 20_000, signal }));
    expect(error.failure).toBe("aborted");
  }
});

test("lines come whole: over chunks, with either line end, the last one without any", async () => {
  const lines: string[] = [];
  const script = String.raw`printf 'one\r\ntw'; sleep 0.1; printf 'o\nthree €'`;
  await run("sh", ["-c", script], { env, timeoutMs: 10_000, onLine: (line) => lines.push(line) });
  expect(lines).toEqual(["one", "two", "three €"]);
});

test("of too much on standard error the end is kept", async () => {
  const script = "i=0; while [ $i -lt 3000 ]; do echo line $i >&2; i=$((i+1)); done";
  const { stderr } = await run("sh", ["-c", script], { env, timeoutMs: 20_000, maxOutputBytes: 100 });
  expect(stderr).toHaveLength(100);
  expect(stderr).toMatch(/line 2999\n$/);
});

test("a program that cannot be started says so without its words, and has no process to kill", async () => {
  const program = launch("/no/such/program", [SECRET], { env });
  const { spawnError } = await program.ended;
  expect(String(spawnError)).toContain("ENOENT");
  expect(JSON.stringify(spawnError, Object.getOwnPropertyNames(spawnError))).not.toContain(SECRET);
  expect(program.kill()).toBe(false);
});

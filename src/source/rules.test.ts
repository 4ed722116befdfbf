import { once } from "node:events";
import { describe, expect, test } from "vitest";
import { Secret } from "../kernel/secret.ts";
import { decide, type Claim } from "./fence.ts";
import { acceptVersion } from "./git.ts";
import { credentialAnswer, gitEnvironment, remoteSettings, settingsWords } from "./git-settings.ts";
import { guardedWords } from "./guard.ts";
import { redirectReason } from "./look-again.ts";
import { mirrorName } from "./parts.ts";
import { parseCloneUrl } from "./remote.ts";
import { createTurns } from "./turns.ts";
import { createVoice } from "./voice.ts";

describe("who may take a workspace", () => {
  const held = (claim: Partial<Claim>): Claim => ({
    deploymentId: "dep_1",
    attempt: 2,
    owner: "1:1:boot",
    released: false,
    past: [["dep_0", 3]],
    ...claim,
  });
  test.each([
    ["nobody has had it", null, "dep_1", 1, false, "take"],
    ["a lower attempt", held({}), "dep_1", 1, false, "refuse"],
    ["a lower attempt, after the end", held({ released: true }), "dep_1", 1, true, "refuse"],
    ["a higher attempt, holder alive", held({}), "dep_1", 3, false, "take"],
    ["the same attempt, holder alive", held({}), "dep_1", 2, false, "wait"],
    ["the same attempt, holder dead", held({}), "dep_1", 2, true, "take"],
    ["the same attempt, after the end", held({ released: true }), "dep_1", 2, false, "take"],
    ["another deployment, holder alive", held({}), "dep_2", 1, false, "wait"],
    ["another deployment, holder dead", held({}), "dep_2", 1, true, "take"],
    ["another deployment, after the end", held({ released: true }), "dep_2", 1, false, "take"],
    ["a displaced deployment", held({ released: true }), "dep_0", 3, true, "refuse"],
    ["a displaced deployment's next attempt", held({ released: true }), "dep_0", 4, false, "take"],
  ] as const)("%s", (_, current, deploymentId, attempt, gone, verdict) => {
    expect(decide(current, { deploymentId, attempt }, () => gone)).toBe(verdict);
  });
});

test("git's words and environment hold no secret and nothing of the machine", () => {
  const env = gitEnvironment("/bin", { gitDir: "/m" }, {});
  expect(env).toMatchObject({
    GIT_CONFIG_NOSYSTEM: "1",
    GIT_CONFIG_GLOBAL: "/dev/null",
    GIT_TERMINAL_PROMPT: "0",
    GIT_ALLOW_PROTOCOL: "https:http",
    HOME: "/dev/null",
    PATH: "/bin",
  });
  const words = settingsWords(remoteSettings("/ca.pem"));
  expect(words.filter((word) => word !== "-c").every((word) => /^[a-zA-Z0-9.]+=/.test(word))).toBe(true);
  // git takes helpers in order: the empty one must come first, to drop those of the machine
  const helpers = words.filter((word) => word.startsWith("credential.helper="));
  expect(helpers[0]).toBe("credential.helper=");
  expect(helpers).toHaveLength(2);
  expect(words).toContain("http.followRedirects=false");
  expect(words).toContain("core.hooksPath=/dev/null");
});

test("a credential is two lines or nothing", () => {
  expect(credentialAnswer(new Secret("abc"))).toBe("username=oauth2\npassword=abc\n");
  for (const bad of ["", "a\nhost=evil", "a\rb", "a\0b"])
    expect(credentialAnswer(new Secret(bad))).toBeNull();
});

test("the guard hands the command through word for word", () => {
  expect(guardedWords({ work: "deploy" }, ["git", "log"], true)).toEqual(["git", "log"]);
  const mirror = { lockFile: "/l/a b", folder: "/m" };
  const words = guardedWords({ work: "fill", mirror }, ["git", "-c", "a=$(id)", "gc"], false);
  expect(words.slice(0, 2)).toEqual(["sh", "-c"]);
  expect(words.slice(3)).toEqual(["sh", "", "", "", "", "/l/a b", "/m", ":", "git", "-c", "a=$(id)", "gc"]);
});

test("versions", () => {
  expect(acceptVersion("git version 2.39.5\n")).toBe("2.39.5");
  expect(acceptVersion("git version 2.30.2")).toBe("2.30.2");
  expect(acceptVersion("git version 3.0.0-rc1 (Apple Git-1)")).toBe("3.0.0-rc1");
  for (const bad of ["git version 2.29.9", "git version 1.8.3.1", "gut 9.9", ""]) {
    expect(() => acceptVersion(bad)).toThrow("too old");
  }
});

test("a clone address is normalised, and names no file, program or person", () => {
  expect(parseCloneUrl("HTTPS://Git.Example.com:443/g/p.git").href).toBe("https://git.example.com/g/p.git");
  for (const bad of [
    "",
    "x",
    "git@host:p.git",
    "ext::id",
    "https://a@b/c",
    "https://b/c?x=1",
    "https://b/c#f",
  ]) {
    expect(() => parseCloneUrl(bad)).toThrow("clone address");
  }
});

test("what a redirect means", () => {
  const reason = (from: string, to: string): string => redirectReason(new URL(from), new URL(to));
  expect(reason("http://a/g.git", "https://a/g.git")).toBe("to_https");
  expect(reason("https://a/g.git", "https://b/g.git")).toBe("other_host");
  expect(reason("http://a/g.git", "https://b/g.git")).toBe("other_host");
  expect(reason("https://a/g.git", "https://a/users/sign_in")).toBe("login");
  expect(reason("https://a/g.git", "https://sso/oauth2/authorize")).toBe("login");
});

test("no two keys share a mirror, and no key leaves the folder", () => {
  const names = ["con_1/42", "con_1/4/2", "con_1-42", "../../x", "", ".", "CON_1/42", "x".repeat(500)].map(
    mirrorName,
  );
  expect(new Set(names).size).toBe(names.length);
  for (const name of names) expect(name).toMatch(/^[A-Za-z0-9_-]{1,100}$/);
});

test("people see what the server says and what went wrong, without control characters", () => {
  const lines: string[] = [];
  const say = createVoice(
    (line) => lines.push(line),
    (text) => text.replaceAll("TOKEN", "[secret]"),
  );
  for (const line of [
    "From https://git.example.com/g/p",
    " * [new ref]   1 -> refs/fairlead/1",
    "hint: do this",
    "remote: Counting objects:  10%\rremote: Counting objects: 100%\rremote: done.",
    "remote: \u001B[2J\u0007TOKEN\tx",
    "fatal: no",
  ]) {
    say(line);
  }
  expect(lines).toEqual(["remote: done.", "remote: [2J[secret] x", "fatal: no"]);
});

describe("turns", () => {
  const never = new AbortController().signal;

  test("one at a time for a key, deployments before fills, other keys at once", async () => {
    const turns = createTurns();
    const order: string[] = [];
    const gate = Promise.withResolvers<void>();
    const work = (name: string, wait?: Promise<void>) => async (): Promise<void> => {
      order.push(`${name} begins`);
      await wait;
      order.push(`${name} ends`);
    };
    const all = [
      turns("a", "deploy", never, work("1", gate.promise)),
      turns("a", "fill", never, work("2")),
      turns("a", "deploy", never, work("3")),
    ];
    await turns("b", "deploy", never, work("other"));
    gate.resolve();
    await Promise.all(all);
    expect(order.filter((line) => !line.startsWith("other"))).toEqual(
      ["1", "3", "2"].flatMap((name) => [`${name} begins`, `${name} ends`]),
    );
    expect(order.indexOf("other ends")).toBeLessThan(order.indexOf("1 ends"));
  });

  test("a deployment interrupts a fill; a failure and an abort pass the turn on", async () => {
    const turns = createTurns();
    const fill = turns("a", "fill", never, async (interrupted) => {
      if (!interrupted.aborted) await once(interrupted, "abort");
      return "interrupted";
    });
    const impatient = new AbortController();
    const failing = turns("a", "deploy", never, () => Promise.reject(new Error("failed")));
    const leaving = turns("a", "deploy", impatient.signal, () => Promise.resolve("never"));
    impatient.abort(new Error("left"));
    const results = await Promise.allSettled([
      fill,
      failing,
      leaving,
      turns("a", "deploy", never, () => Promise.resolve("last")),
    ]);
    expect(results).toMatchObject([
      { value: "interrupted" },
      { reason: { message: "failed" } },
      { reason: { message: "left" } },
      { value: "last" },
    ]);
  });
});

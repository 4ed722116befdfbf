import { mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { detectBuild, findOutput, type BuildPlan } from "./detect.ts";

type Tree = Readonly<Record<string, string | object>>;

/** Files by path; an object is written as JSON. */
async function treeOf(files: Tree): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "fairlead-detect-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  for (const [path, content] of Object.entries(files)) {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), typeof content === "string" ? content : JSON.stringify(content));
  }
  return folder;
}

const detect = async (files: Tree, overrides = {}): Promise<BuildPlan> =>
  detectBuild(await treeOf(files), overrides);
const page = "<!doctype html>";
const node = (file: string) => ({ kind: "exec", argv: ["node", file] });

describe("a static site", () => {
  test.each<[string, Tree, string]>([
    ["index.html", { "index.html": page }, "."],
    ["public/index.html", { "public/index.html": page }, "public"],
    ["dist before public", { "public/index.html": page, "dist/index.html": page }, "dist"],
  ])("%s: nothing to build", async (_name, files, output) => {
    expect(await detect(files)).toMatchObject({
      kind: "static",
      install: null,
      build: null,
      outputs: [output],
      lockfile: null,
    });
  });

  test("of a package with a build and no server: built, then what the build left", async () => {
    const folder = await treeOf({
      "package.json": { scripts: { build: "vite build" } },
      "package-lock.json": "{}",
      "index.html": page,
    });
    const plan = await detectBuild(folder, {});
    expect(plan).toMatchObject({
      kind: "static",
      install: ["npm", "ci", "--no-audit", "--no-fund"],
      build: ["npm", "run", "build"],
      start: { kind: "static" },
    });
    await mkdir(join(folder, "out"));
    await writeFile(join(folder, "out/index.html"), page);
    expect(await findOutput(plan)).toBe(join(folder, "out"));
  });

  test.each(["react-scripts start", "vite", "vite --port 3000", "ng serve", "webpack serve"])(
    "a start script that serves sources (%s) beside a build is not the app",
    async (start) => {
      expect(await detect({ "package.json": { scripts: { start, build: "x" } } })).toMatchObject({
        kind: "static",
      });
      expect(await detect({ "package.json": { scripts: { start } } })).toMatchObject({ kind: "node" });
    },
  );

  test("with a package.json that builds nothing: the packages are not installed", async () => {
    expect(await detect({ "package.json": {}, "index.html": page })).toMatchObject({
      kind: "static",
      install: null,
      outputs: ["."],
    });
  });
});

describe("a Node app", () => {
  test.each<[string, Tree, object]>([
    [
      "start script",
      { "package.json": { scripts: { start: "next start -p $PORT" } } },
      { kind: "exec", argv: ["npm", "run", "start"] },
    ],
    [
      "plain start script",
      { "package.json": { scripts: { start: "node src/server.js" } } },
      node("src/server.js"),
    ],
    [
      "with prestart",
      { "package.json": { scripts: { prestart: "x", start: "node a.js" } } },
      { kind: "exec", argv: ["npm", "run", "start"] },
    ],
    ["server.js", { "package.json": {}, "server.js": "" }, node("server.js")],
    ["main", { "package.json": { main: "lib/main.js" }, "lib/main.js": "" }, node("lib/main.js")],
    [
      "main without its ending",
      { "package.json": { main: "lib/main" }, "lib/main.js": "" },
      node("lib/main.js"),
    ],
    ["index.js", { "package.json": {}, "index.js": "" }, node("index.js")],
  ])("%s", async (_name, files, start) => {
    expect(await detect(files)).toMatchObject({ kind: "node", start, outputs: ["."] });
  });

  test.each<[string, readonly string[]]>([
    ["package-lock.json", ["npm", "ci", "--no-audit", "--no-fund"]],
    ["npm-shrinkwrap.json", ["npm", "ci", "--no-audit", "--no-fund"]],
    ["pnpm-lock.yaml", ["pnpm", "install", "--frozen-lockfile"]],
    ["yarn.lock", ["yarn", "install", "--frozen-lockfile"]],
  ])("%s: its manager installs", async (lockfile, install) => {
    const plan = await detect({ "package.json": { scripts: { start: "x y", build: "z" } }, [lockfile]: "" });
    expect(plan.install).toEqual(install);
    expect(plan.lockfile).toContain(lockfile);
    expect(plan.build?.[0]).toBe(install[0]);
    expect(plan.evidence.join(" ")).toContain(lockfile);
  });

  test("without a lockfile npm resolves anew, and the log says so", async () => {
    const plan = await detect({ "package.json": { scripts: { start: "x" } } });
    expect(plan).toMatchObject({ install: ["npm", "install"], lockfile: null });
    expect(plan.evidence.join(" ")).toContain("No lockfile");
  });
});

describe("what a person fixed wins", () => {
  const files = {
    "package.json": { scripts: { start: "node a.js", build: "b" } },
    "package-lock.json": "",
    "index.html": page,
    "app/server.js": "",
  };
  test.each<[object, object]>([
    [{ kind: "static" }, { kind: "static", build: ["npm", "run", "build"] }],
    [{ start: ["deno", "run"] }, { start: { kind: "exec", argv: ["deno", "run"] } }],
    [
      { install: ["make", "deps"], build: ["make"] },
      { install: ["make", "deps"], build: ["make"] },
    ],
    [{ kind: "static", output: "site" }, { outputs: ["site"] }],
    [
      { root: "app", kind: "node" },
      { kind: "node", install: null, start: node("server.js") },
    ],
    [
      { root: "app", start: ["node", "x.js"] },
      { kind: "node", start: node("x.js") },
    ],
  ])("%j", async (overrides, plan) => expect(await detect(files, overrides)).toMatchObject(plan));

  test("a kind that the files do not bear out is said, not guessed around", async () => {
    const error = { code: "BUILD_UNDETECTED", message: expect.stringContaining("server.js") };
    await expect(detect({ "index.html": page }, { kind: "node" })).rejects.toMatchObject(error);
    await expect(
      detect({ "package.json": { scripts: { build: "x" } } }, { kind: "node" }),
    ).rejects.toMatchObject(error);
  });
});

describe("hostile and broken trees", () => {
  test("nothing known: what was looked for is named", async () => {
    for (const files of [{}, { "README.md": "" }, { "package.json": {} }, { "Index.HTML": page }]) {
      await expect(detect(files)).rejects.toMatchObject({
        code: "BUILD_UNDETECTED",
        message: expect.stringContaining("index.html"),
      });
    }
  });

  test.each(["..", "../..", "a/../..", "/", "/etc", "missing", "file"])(
    "root %j is refused",
    async (root) => {
      const files = { "index.html": page, file: "", "a/x": "" };
      await expect(detect(files, { root })).rejects.toMatchObject({ code: "BUILD_UNDETECTED" });
    },
  );

  test.each([
    "{",
    "[]",
    "null",
    '"x"',
    "{} trailing",
    '{"scripts": []}',
    '{"scripts": "x"}',
    " ".repeat(1024 * 1024 + 1),
  ])("package.json %.20j cannot be used, and the reason is said", async (text) => {
    await expect(detect({ "package.json": text, "index.html": page })).rejects.toMatchObject({
      code: "BUILD_FAILED",
      message: expect.stringContaining("package.json cannot be used"),
    });
  });

  test("prototype keys and values of wrong kinds are no scripts", async () => {
    const text =
      '{"__proto__":{"scripts":{"start":"x"}},"scripts":{"__proto__":"evil","start":1,"build":{}},"main":[1]}';
    expect(await detect({ "package.json": text, "server.js": "" })).toMatchObject({
      build: null,
      start: node("server.js"),
    });
    expect(Reflect.get({}, "scripts")).toBeUndefined();
  });

  test("a byte order mark does not hide a package.json", async () => {
    expect(await detect({ "package.json": '\uFEFF{"scripts":{"start":"x"}}' })).toMatchObject({
      kind: "node",
    });
  });

  test("a main that leaves the tree or is an option is not started", async () => {
    for (const main of ["../../../etc/passwd", "/etc/passwd", "--inspect"]) {
      const plan = await detect({ "package.json": { main }, "index.html": page, "--inspect": "" });
      expect(plan.kind).toBe("static");
    }
  });

  test("links that leave the tree are not followed: root, package.json, index.html, output", async () => {
    const outside = await treeOf({
      "package.json": { scripts: { start: "evil" } },
      "index.html": page,
      "secret/index.html": page,
    });
    const folder = await treeOf({});
    await symlink(outside, join(folder, "linked"));
    await symlink(join(outside, "package.json"), join(folder, "package.json"));
    await symlink(join(outside, "index.html"), join(folder, "index.html"));
    await symlink(join(outside, "secret"), join(folder, "dist"));
    await expect(detectBuild(folder, {})).rejects.toMatchObject({ code: "BUILD_UNDETECTED" });
    await expect(detectBuild(folder, { root: "linked" })).rejects.toMatchObject({ code: "BUILD_UNDETECTED" });
    const plan = await detectBuild(folder, { kind: "static", output: "dist" });
    await expect(findOutput(plan)).rejects.toMatchObject({ code: "BUILD_FAILED" });
  });

  test("a build that leaves nothing fails with what was expected", async () => {
    const plan = await detect({ "package.json": { scripts: { build: "x" } } });
    await expect(findOutput(plan)).rejects.toMatchObject({
      code: "BUILD_FAILED",
      message: expect.stringContaining("dist/index.html"),
    });
  });
});

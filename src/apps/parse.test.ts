import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { parseBranch } from "./branch.ts";
import { parseBuildSettings } from "./build-settings.ts";
import { hookAddress } from "./hook-address.ts";
import { defaultAppName, parseAppName } from "./name.ts";
import { cloneUrl } from "../gitlab/clone-url.ts";
import { parseProjectRef } from "./project.ts";

const badRequest = expect.objectContaining({ name: "Fault", code: "BAD_REQUEST" });

describe("app names", () => {
  const hostile = [
    "",
    "-a",
    "a-",
    "A",
    "a.b",
    "a_b",
    "..",
    "a/b",
    "a b",
    "a\n",
    "xn--e1afmkfd",
    "é",
    "a".repeat(64),
    "app_1",
    "a\0",
    "${x}",
    "a;b",
    "__proto__",
  ];
  test.each(hostile)("%j is refused", (name) => expect(() => parseAppName(name)).toThrow(badRequest));

  test.each(["a", "0", "shop", "my-shop-2", "a".repeat(63)])("%j is a name", (name) => {
    expect(parseAppName(name)).toBe(name);
  });

  test.each([
    ["acme/My_Shop.web", "my-shop-web"],
    ["a/b/Größe", "grosse"],
    ["acme/Café--2", "cafe-2"],
    ["acme/日本", "app"],
    ["acme/---", "app"],
    ["acme/xn--abc", "xn-abc"],
    [`acme/${"x".repeat(100)}`, "x".repeat(40)],
    [`acme/${"x".repeat(39)}-y`, "x".repeat(39)],
  ])("%s becomes %s", (path, name) => expect(defaultAppName(path)).toBe(name));

  test("whatever a project is called, a usable name comes of it", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (path) => {
        expect(parseAppName(defaultAppName(path))).toBe(defaultAppName(path));
      }),
    );
  });
});

describe("branches", () => {
  test.each([
    "",
    "-x",
    "/x",
    "x/",
    "x//y",
    "a..b",
    "a b",
    "a~b",
    "a^b",
    "a:b",
    "a?b",
    "a*b",
    "a[b",
    "a\\b",
    "a@{b",
    "x.lock",
    "x.lock/y",
    ".x",
    "x/.y",
    "x.",
    "a\nb",
    "a\0b",
    "x".repeat(256),
  ])("%j is refused", (name) => expect(() => parseBranch(name)).toThrow(badRequest));
  test.each(["main", "feature/x", "v1.0", "a@b", "größe", "x-y_z"])("%j is a branch", (name) => {
    expect(parseBranch(name)).toBe(name);
  });
});

describe("projects", () => {
  test.each([
    ["42", 42],
    [" acme/shop ", "acme/shop"],
    ["/a/b/c/", "a/b/c"],
    ["a.b/c-d_e+f", "a.b/c-d_e+f"],
  ])("%j", (text, ref) => expect(parseProjectRef(text)).toBe(ref));
  test.each([
    "",
    "0",
    "-1",
    "4".repeat(16),
    "shop",
    "a//b",
    "../b",
    "a/..",
    "a/./b",
    "a?b/c",
    "a%2Fb/c",
    "https://x/y",
    "a/b#c",
    "a\n/b",
  ])("%j is refused", (text) => expect(() => parseProjectRef(text)).toThrow(badRequest));

  const project = { httpUrl: "https://git.acme.lan/a b/shop.git", path: "a b/shop" };
  test("code comes from where GitLab says, when that is where the token may go", () => {
    expect(cloneUrl(asProject(project), "https://git.acme.lan")).toBe(project.httpUrl);
  });
  test.each([
    "http://git.acme.lan",
    "https://evil.example/x.git",
    "ssh://x",
    "",
    "https://git.acme.lan.evil.example/a.git",
  ])("reported as %s: the token stays at its own origin", (httpUrl) => {
    const url = cloneUrl(asProject({ ...project, httpUrl }), "https://git.acme.lan/gitlab");
    expect(url).toBe("https://git.acme.lan/gitlab/a%20b/shop.git");
  });
});

function asProject(part: { httpUrl: string; path: string }): Parameters<typeof cloneUrl>[0] {
  return { ...part } as Parameters<typeof cloneUrl>[0];
}

describe("the hook's address", () => {
  test("is never guessed", () => {
    expect(hookAddress(null, "https://git.acme.lan")).toMatchObject({
      usable: false,
      reason: expect.stringContaining("FAIRLEAD_PUBLIC_URL"),
    });
  });
  test("trailing slashes do not double", () => {
    expect(hookAddress("https://deploy.acme.lan/base//", "https://git.acme.lan")).toEqual({
      usable: true,
      receiver: "https://deploy.acme.lan/base/hooks/gitlab/",
    });
  });
  const loopback = [
    "http://127.0.0.1:8080",
    "http://localhost:1",
    "http://LOCALHOST.:1",
    "http://[::1]:1",
    "http://127.9.9.9",
    "http://x.localhost",
    "http://2130706433",
  ];
  test.each(loopback)("%s serves a GitLab on loopback only", (url) => {
    expect(hookAddress(url, "http://localhost:3000").usable).toBe(true);
    expect(hookAddress(url, "https://git.acme.lan").usable).toBe(false);
    expect(hookAddress(url, "https://localhost.acme.lan").usable).toBe(false);
  });
});

describe("build settings", () => {
  test.each([
    [{ root: "../x" }],
    [{ root: "a/../../x" }],
    [{ root: "/etc" }],
    [{ output: "a\\..\\b" }],
    [{ install: [] }],
    [{ build: [""] }],
    [{ start: ["node", "a\0b"] }],
    [{ start: "node server.js" }],
    [{ kind: "docker" }],
    [{ unknown: 1 }],
    ["text"],
    [null],
    [JSON.parse('{"__proto__": {"kind": "node"}}')],
  ])("%j is refused", (value) => expect(() => parseBuildSettings(value)).toThrow(badRequest));
  test("what is given stays, what is not given is absent", () => {
    const settings = { kind: "node", root: "apps/web", start: ["node", "server.js"] };
    expect(parseBuildSettings(settings)).toEqual(settings);
    expect(parseBuildSettings({})).toEqual({});
    expect(Object.keys(parseBuildSettings({ kind: "static" }))).toEqual(["kind"]);
  });
});

test("Faults name no value that was sent", () => {
  const text = (): string => {
    try {
      return JSON.stringify(parseBuildSettings({ start: ["s3cret\0"] }));
    } catch (error) {
      return String(error);
    }
  };
  expect(text()).toContain("start");
  expect(text()).not.toContain("s3cret");
});

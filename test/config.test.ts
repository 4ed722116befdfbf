import { readFileSync } from "node:fs";
import { join } from "node:path";
import { inspect } from "node:util";
import { expect, test } from "vitest";
import { readConfig, renderConfigDocs, renderConfigHelp } from "../src/config.ts";
import { Fault } from "../src/faults/fault.ts";

const home = { HOME: "/home/ada", FAIRLEAD_DATA_DIR: "/data" };

test("an empty environment gives usable, private defaults", () => {
  const config = readConfig(home);
  expect(config).toMatchObject({
    dataDir: "/data",
    host: "127.0.0.1",
    port: 7070,
    edgeHost: "127.0.0.1",
    edgePort: 8080,
    publicUrl: null,
    appsDomain: "localhost",
    appsUrl: "http://localhost:8080",
    keyFile: "/data/secret.key",
    apiTokenFile: "/data/api-token",
    serverUrl: "http://127.0.0.1:7070",
    databaseUrl: null,
    allowUnisolated: false,
    warnings: [],
  });
  expect(config.workers).toBeGreaterThan(0);
  expect(Object.isFrozen(config)).toBe(true);
});

test("every problem is listed at once, without repeating a value", () => {
  const read = () =>
    readConfig({
      ...home,
      FAIRLEAD_PORT: "70000x",
      FAIRLEAD_PUBLIC_URL: "https://u:hunter2@deploy.acme.lan",
      DATABASE_URL: "mysql://u:hunter2@db",
      FAIRLEAD_ALLOW_UNISOLATED: "maybe",
    });
  const fault = catchFault(read);
  expect(fault.is("CONFIG_INVALID")).toBe(true);
  for (const name of ["FAIRLEAD_PORT", "FAIRLEAD_PUBLIC_URL", "DATABASE_URL", "FAIRLEAD_ALLOW_UNISOLATED"]) {
    expect(fault.message).toContain(name);
  }
  expect(fault.message).not.toContain("hunter2");
});

test.each([
  ["FAIRLEAD_PUBLIC_URL", "deploy.acme.lan"],
  ["FAIRLEAD_PUBLIC_URL", "https://deploy.acme.lan/?a=1"],
  ["FAIRLEAD_PUBLIC_URL", "javascript://deploy"],
  ["FAIRLEAD_PORT", "-1"],
  ["FAIRLEAD_PORT", "80.5"],
  ["FAIRLEAD_EDGE_HOST", "a b"],
  ["FAIRLEAD_HOST", "a..b"],
  ["FAIRLEAD_HOST", ":::1"],
  ["FAIRLEAD_APPS_DOMAIN", "acme.lan:80"],
  ["FAIRLEAD_APPS_DOMAIN", "-.*"],
  ["FAIRLEAD_WORKERS", "0"],
  ["FAIRLEAD_ALLOWED_HOSTS", "ok.lan,*"],
])("%s=%s is refused", (name, value) => {
  expect(catchFault(() => readConfig({ ...home, [name]: value })).message).toContain(name);
});

test("empty variables count as unset, overrides win", () => {
  const config = readConfig(
    { ...home, FAIRLEAD_PORT: "", FAIRLEAD_HOST: "::" },
    { FAIRLEAD_EDGE_PORT: "9999" },
  );
  expect(config).toMatchObject({ port: 7070, edgePort: 9999, serverUrl: "http://[::1]:7070" });
});

test("the apps' domain follows their URL, and the two must agree", () => {
  expect(readConfig({ ...home, FAIRLEAD_APPS_URL: "https://apps.acme.lan/" })).toMatchObject({
    appsDomain: "apps.acme.lan",
    appsUrl: "https://apps.acme.lan",
  });
  const mismatch = { ...home, FAIRLEAD_APPS_URL: "https://apps.acme.lan", FAIRLEAD_APPS_DOMAIN: "acme.lan" };
  expect(catchFault(() => readConfig(mismatch)).message).toContain("FAIRLEAD_APPS_DOMAIN");
});

test("secrets never print", () => {
  const config = readConfig({
    ...home,
    DATABASE_URL: "postgres://u:hunter2@db/fairlead",
    FAIRLEAD_API_TOKEN: "hunter2",
    FAIRLEAD_GITLAB_TOKEN: "hunter2",
  });
  expect(inspect(config, { depth: 9 }) + JSON.stringify(config)).not.toContain("hunter2");
  expect(config.databaseUrl?.reveal()).toBe("postgres://u:hunter2@db/fairlead");
});

test("a misspelt variable is named with the nearest one", () => {
  const { warnings } = readConfig({
    ...home,
    FAIRLEAD_PUBLIC_ULR: "https://x",
    FAIRLEAD_ZZZZZZZZZZ: "1",
    OTHER: "1",
  });
  expect(warnings).toEqual([
    "FAIRLEAD_PUBLIC_ULR is no setting of Fairlead; did you mean FAIRLEAD_PUBLIC_URL?",
    "FAIRLEAD_ZZZZZZZZZZ is no setting of Fairlead",
  ]);
});

test("only three variables are handed on to programs", () => {
  const { passThrough } = readConfig({
    ...home,
    PATH: "/bin",
    SECRET_THING: "x",
    FAIRLEAD_GITLAB_TOKEN: "x",
  });
  expect(passThrough).toEqual({ PATH: "/bin", HOME: "/home/ada", LANG: "C.UTF-8" });
});

test("docs/configuration.md is what the table says", () => {
  const page = readFileSync(join(import.meta.dirname, "..", "docs", "configuration.md"), "utf8");
  expect(page).toBe(renderConfigDocs());
  expect(renderConfigHelp()).toContain("FAIRLEAD_EDGE_PORT (default: 8080)");
});

function catchFault(action: () => unknown): Fault {
  try {
    action();
  } catch (error) {
    if (error instanceof Fault) return error;
    throw error;
  }
  throw new Error("nothing was thrown");
}

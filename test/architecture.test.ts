import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, normalize, relative } from "node:path";
import { expect, test } from "vitest";

const ROOT = join(import.meta.dirname, "..");
const SRC = join(ROOT, "src");

function readTable(): Map<string, string[]> {
  const rows = readFileSync(join(ROOT, "ARCHITECTURE.md"), "utf8").matchAll(
    /^\| `([^`]+)` \|[^|]*\| (.*) \|$/gm,
  );
  return new Map(
    [...rows].map(([, owner, cell]) => [
      owner!,
      cell === "*" ? ["*"] : [...cell!.matchAll(/`([^`]+)`/g)].map((m) => m[1]!),
    ]),
  );
}

function ownerOf(file: string): string {
  return file.includes("/") ? file.slice(0, file.indexOf("/")) : file;
}

function sourceFiles(): string[] {
  return readdirSync(SRC, { recursive: true, encoding: "utf8" }).filter((file) => file.endsWith(".ts"));
}

const isTest = (file: string): boolean => /\.(test|suite)\.ts$/.test(file);

function importsOf(file: string): string[] {
  const text = readFileSync(join(SRC, file), "utf8");
  return [...text.matchAll(/(?:\bfrom|\bimport)\s*\(?\s*["'](\.[^"']+)["']/g)].map((match) =>
    relative(SRC, normalize(join(SRC, dirname(file), match[1]!))),
  );
}

test("every folder of src has a row in ARCHITECTURE.md, and every row exists", () => {
  const owners = [
    ...new Set(
      sourceFiles()
        .filter((file) => !isTest(file))
        .map(ownerOf),
    ),
  ].sort();
  expect([...readTable().keys()].sort()).toEqual(owners);
});

test("imports go down the table of ARCHITECTURE.md only", () => {
  const table = readTable();
  const broken = sourceFiles()
    .filter((file) => !isTest(file))
    .flatMap((file) =>
      importsOf(file)
        .filter((target) => {
          const allowed = table.get(ownerOf(file)) ?? [];
          const owner = ownerOf(target);
          return (
            owner !== ownerOf(file) &&
            !allowed.includes("*") &&
            !allowed.includes(owner) &&
            !allowed.includes(target)
          );
        })
        .map((target) => `src/${file} imports src/${target}`),
    );
  expect(broken).toEqual([]);
});

test("the reader of imports sees static, type and dynamic imports", () => {
  expect(importsOf("store/store.ts")).toContain("store/rows.ts");
});

test("there are no index.ts barrels", () => {
  expect(sourceFiles().filter((file) => file.endsWith("index.ts"))).toEqual([]);
});

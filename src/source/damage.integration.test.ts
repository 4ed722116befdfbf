import { chmodSync, mkdirSync, readdirSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { createSourceFixture, treeDifferences, type SourceFixture } from "../../test/support/git-source.ts";

let fixture: SourceFixture;
beforeEach(async () => {
  fixture = await createSourceFixture();
});
afterEach(async () => {
  await fixture[Symbol.asyncDispose]();
});

const only = (folder: string): string => join(folder, readdirSync(folder)[0] ?? "none");
const mirror = (): string => only(join(fixture.dataDir, "source/mirrors"));
const state = (): string => `${fixture.workspace}.git-state`;
const packs = (ending: string): string[] => {
  const folder = join(mirror(), "objects/pack");
  return readdirSync(folder)
    .filter((name) => name.endsWith(ending))
    .map((name) => {
      chmodSync(join(folder, name), 0o600); // git makes packs read-only
      return join(folder, name);
    });
};

const DAMAGES: [name: string, harm: () => void][] = [
  ["packs cut short", () => packs(".pack").forEach((pack) => truncateSync(pack, 40))],
  ["packs emptied", () => packs(".pack").forEach((pack) => truncateSync(pack, 0))],
  ["packs gone", () => packs(".pack").forEach((pack) => rmSync(pack))],
  [
    "pack indexes overwritten",
    () => packs(".idx").forEach((index) => writeFileSync(index, "x".repeat(2000))),
  ],
  ["all objects gone", () => rmSync(join(mirror(), "objects"), { recursive: true })],
  ["HEAD is nonsense", () => writeFileSync(join(mirror(), "HEAD"), "nonsense")],
  ["HEAD gone", () => rmSync(join(mirror(), "HEAD"))],
  ["config is nonsense", () => writeFileSync(join(mirror(), "config"), "[core\nnonsense")],
  ["shallow is nonsense", () => writeFileSync(join(mirror(), "shallow"), "nonsense\n")],
  ["shallow gone", () => rmSync(join(mirror(), "shallow"), { force: true })],
  ["refs gone", () => rmSync(join(mirror(), "refs"), { recursive: true })],
  [
    "the mirror is a file",
    () => (
      rmSync(mirror(), { recursive: true }),
      writeFileSync(`${join(fixture.dataDir, "source/mirrors")}/x`, "")
    ),
  ],
  ["the index is nonsense", () => writeFileSync(join(state(), "index"), "nonsense")],
  ["the index is empty", () => writeFileSync(join(state(), "index"), "")],
  ["the index is cut short", () => truncateSync(join(state(), "index"), 60)],
  [
    "index and packs",
    () => (truncateSync(join(state(), "index"), 60), packs(".pack").forEach((pack) => rmSync(pack))),
  ],
  ["locks of the dead", () => leaveLocks()],
];

function leaveLocks(): void {
  writeFileSync(join(state(), "index.lock"), "");
  for (const name of ["shallow.lock", "config.lock", "packed-refs.lock", "HEAD.lock", "gc.pid"])
    writeFileSync(join(mirror(), name), "");
  writeFileSync(join(mirror(), "objects/pack/tmp_pack_abcdef"), "x");
  mkdirSync(join(mirror(), "refs/fairlead"), { recursive: true });
  writeFileSync(join(mirror(), "refs/fairlead/x.lock"), "");
}

test.each(DAMAGES)("heals: %s", async (_, harm) => {
  const parent = fixture.repository.commit({ "dir/a": "0" });
  const one = fixture.repository.commit({ "dir/a": "1", b: "1", gone: "1" }, { parent });
  const two = fixture.repository.commit({ "dir/a": "2", gone: null });
  const three = fixture.repository.commit({ b: "3" });
  await fixture.checkOut(one);
  harm();
  await fixture.checkOut(two); // not in the mirror
  expect(treeDifferences(fixture.repository, two, fixture.workspace)).toEqual([]);
  expect(readdirSync(fixture.workspace)).toEqual(["b", "dir"]);
  harm();
  await fixture.checkOut(two); // in the mirror, and in the tree
  expect(treeDifferences(fixture.repository, two, fixture.workspace)).toEqual([]);
  await fixture.checkOut(three);
  harm();
  await fixture.checkOut(one); // was in the mirror, not in the tree
  expect(treeDifferences(fixture.repository, one, fixture.workspace)).toEqual([]);
  await fixture.source.fillMirror(fixture.remote, AbortSignal.timeout(20_000)); // may throw the mirror away
  await fixture.checkOut(three);
  harm();
  await fixture.source.fillMirror(fixture.remote, AbortSignal.timeout(20_000));
  await fixture.checkOut(two);
  expect(treeDifferences(fixture.repository, two, fixture.workspace)).toEqual([]);
});

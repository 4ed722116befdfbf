import { mkdtemp, readFile, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { Secret } from "../kernel/secret.ts";
import { exportKeys, importKeys } from "./carry-key.ts";
import { newKey, writeKeys } from "./key.ts";

async function makeFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "fairlead-carry-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

test("a key is carried to where there is none, and stays private", async () => {
  const folder = await makeFolder();
  await writeKeys(join(folder, "a"), [newKey(3)]);
  await importKeys(join(folder, "b"), await exportKeys(join(folder, "a")));
  expect(await readFile(join(folder, "b"), "utf8")).toBe(await readFile(join(folder, "a"), "utf8"));
  expect((await stat(join(folder, "b"))).mode & 0o777).toBe(0o600);
  await importKeys(join(folder, "b"), await exportKeys(join(folder, "a")));
});

test("another key is never overwritten", async () => {
  const folder = await makeFolder();
  await writeKeys(join(folder, "a"), [newKey(1)]);
  await writeKeys(join(folder, "b"), [newKey(1)]);
  const before = await readFile(join(folder, "b"), "utf8");
  await expect(importKeys(join(folder, "b"), await exportKeys(join(folder, "a")))).rejects.toMatchObject({
    code: "CONFLICT",
  });
  expect(await readFile(join(folder, "b"), "utf8")).toBe(before);
});

test("no key and rubbish are refused", async () => {
  const folder = await makeFolder();
  await expect(exportKeys(join(folder, "a"))).rejects.toMatchObject({
    code: "KEY_UNUSABLE",
    reason: "missing",
  });
  await expect(importKeys(join(folder, "a"), new Secret("rubbish"))).rejects.toMatchObject({
    code: "KEY_UNUSABLE",
    reason: "wrong",
  });
});

import { spawnSync } from "node:child_process";
import { mkdtempDisposable, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { inspect } from "node:util";
import { expect, test } from "vitest";
import { createDeployKey } from "./deploy-key.ts";

const hasKeygen = spawnSync("ssh-keygen", ["-?"]).error === undefined;
if (!hasKeygen) console.warn("skipped: ssh-keygen is not installed");

test.skipIf(!hasKeygen).each([
  ["plain", "fairlead shop"],
  ["empty", ""],
  ["of another length", "fairlead: group/subgroup/project (production) ünïcode"],
  ["with line breaks", 'one\ncommand="evil" ssh-ed25519 AAAA\r\n\0two\u2028three'],
  ["very long", "x".repeat(5000)],
])("ssh-keygen reads the private key and finds the same public key: comment %s", async (_, comment) => {
  const pair = createDeployKey(comment);
  await using folder = await mkdtempDisposable(join(tmpdir(), "fairlead-key-"));
  const file = join(folder.path, "key");
  await writeFile(file, pair.privateKey.reveal(), { mode: 0o600 });
  const read = spawnSync("ssh-keygen", ["-y", "-f", file], { encoding: "utf8" });
  expect(read.stderr).toBe("");
  expect(read.stdout.trim()).toBe(pair.publicKey);
  await writeFile(`${file}.pub`, `${pair.publicKey}\n`);
  const print = spawnSync("ssh-keygen", ["-l", "-f", `${file}.pub`], { encoding: "utf8" });
  expect(print.stdout).toMatch(/^256 SHA256:\S+ .*\(ED25519\)\n$/);
});

test("the public half is one short line, the private half does not print, every key is new", () => {
  const pairs = [1, 2].map(() => createDeployKey("a\nb"));
  for (const pair of pairs) {
    expect(pair.publicKey).toMatch(/^ssh-ed25519 AAAAC3NzaC1lZDI1NTE5[A-Za-z0-9+/]{48} a b$/);
    expect(`${inspect(pair)}${JSON.stringify(pair)}`).not.toContain("OPENSSH");
  }
  expect(new Set(pairs.map((pair) => pair.publicKey)).size).toBe(2);
});

import { mkdtempDisposable, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { tlsFixture } from "../../test/support/answering-server.ts";
import { collect, readNetwork } from "./network-options.ts";

test("what may be secret can come from files; headers add up", async () => {
  await using folder = await mkdtempDisposable(join(tmpdir(), "fairlead-options-"));
  const at = (name: string): string => join(folder.path, name);
  await writeFile(at("proxy"), "http://amy:hunter2@proxy.acme.lan:3128\n");
  await writeFile(at("headers"), "CF-Access-Client-Id: one\n\nCF-Access-Client-Secret : two: three\n");
  await writeFile(at("ca.pem"), tlsFixture("ca.pem"));
  const header = collect(`@${at("headers")}`, collect("x-gate: open"));
  expect(await readNetwork({ proxy: `@${at("proxy")}`, ca: at("ca.pem"), header })).toEqual({
    proxy: "http://amy:hunter2@proxy.acme.lan:3128",
    ca: tlsFixture("ca.pem"),
    headers: { "x-gate": "open", "CF-Access-Client-Id": "one", "CF-Access-Client-Secret": "two: three" },
  });
  expect(await readNetwork({ proxy: "none" })).toEqual({ proxy: "none" });
});

test.each([
  [{ header: ["no colon here"] }, "NAME: VALUE"],
  [{ header: ["@/no/such/file"] }, "cannot be read"],
  [{ clientKey: "/no/such/file" }, "cannot be read"],
  [{ ca: "/dev/null" }, "no PEM certificate"],
])("%j is a wrong usage", async (options, words) => {
  await expect(readNetwork(options)).rejects.toThrow(words);
});

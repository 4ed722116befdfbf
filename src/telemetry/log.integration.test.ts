import { open } from "node:fs/promises";
import { expect, test } from "vitest";
import { launch } from "../kernel/run.ts";

const PROGRAM = `
  import { createLogger } from ${JSON.stringify(new URL("./log.ts", import.meta.url).href)};
  const log = createLogger({ level: "info", redact: (text) => text });
  for (let i = 0; i < 3; i++) {
    log.info({ i }, "a line");
    await new Promise((resolve) => setTimeout(resolve, 30));
  }
  process.exitCode = 42;`;

test("a full disk behind the log costs lines, not the process", async () => {
  await using full = await open("/dev/full", "w");
  const child = launch(process.execPath, ["--input-type=module", "-e", PROGRAM], {
    env: {},
    output: { stdout: full.fd, stderr: full.fd },
  });
  expect(await child.ended).toMatchObject({ exitCode: 42 });
});

test("a reader of the log that went away costs lines, not the process", async () => {
  const child = launch(process.execPath, ["--input-type=module", "-e", PROGRAM], { env: {} });
  child.stderr?.destroy();
  expect(await child.ended).toMatchObject({ exitCode: 42 });
});

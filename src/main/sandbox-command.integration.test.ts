import { once } from "node:events";
import { createServer, type AddressInfo } from "node:net";
import { PassThrough } from "node:stream";
import { expect, test } from "vitest";
import { faultOf } from "../../test/support/fault-of.ts";
import { sandbox } from "./sandbox-command.ts";

test("a port that is taken is named, with what is wrong about it", async () => {
  await using other = createServer();
  other.listen(0, "127.0.0.1");
  await once(other, "listening");
  const { port } = other.address() as AddressInfo;
  const options = { port, version: undefined, json: false };
  const fault = await faultOf(sandbox(options, new PassThrough(), new AbortController().signal));
  expect(fault.is("RUNTIME_UNAVAILABLE")).toBe(true);
  expect(fault.message).toContain(`127.0.0.1:${port}: another program listens`);
});

test("with --json it says in one object what a program needs to go on", async () => {
  const output = new PassThrough();
  const stop = new AbortController();
  const options = { port: undefined, version: "17.4.0", json: true };
  const running = sandbox(options, output, stop.signal);
  const [line] = (await once(output, "data")) as [Buffer];
  const told = JSON.parse(line.toString()) as Record<string, string>;
  expect(told).toEqual({
    version: "17.4.0",
    url: expect.stringMatching(/^http:\/\/127\.0\.0\.1:\d+$/),
    token: expect.stringMatching(/^glpat-/),
    project: "demo/hello",
    cloneUrl: `${told["url"]}/demo/hello.git`,
    users: ["root", "demo"],
    control: `${told["url"]}/-/sandbox`,
  });
  stop.abort();
  expect(await running).toBe(0);
  expect(output.read()).toBeNull();
});

import { connect, type Socket } from "node:net";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openScene, type Scene } from "./scene.suite.ts";

let scene: Scene;
beforeAll(async () => {
  scene = await openScene();
  await scene.git("clone", scene.remote(), "work");
});
afterAll(() => scene[Symbol.asyncDispose]());

/** A push that sends its first bytes and then nothing more. */
async function beginPush(name: string): Promise<Socket> {
  const token = scene.tokenWith({ name });
  const socket = connect(Number(new URL(scene.sandbox.url).port), "127.0.0.1");
  socket.on("error", () => {});
  socket.write(
    `POST /acme/shop.git/git-receive-pack HTTP/1.1\r\nHost: x\r\nAuthorization: Basic ${btoa(`x:${token}`)}\r\nContent-Type: application/x-git-receive-pack-request\r\nContent-Length: 1000\r\n\r\n00`,
  );
  const row = [...scene.sandbox.rows.tokens.values()].find((one) => one.name === name);
  await expect.poll(() => row?.lastUsedAt).not.toBeNull();
  return socket;
}

async function leave(socket: Socket): Promise<void> {
  socket.destroy();
  await scene.call("GET", "/version"); // what came before this is known by now
}

test("a client that leaves while it waits for its turn keeps nobody else from pushing", async () => {
  const first = await beginPush("first");
  const second = await beginPush("second");
  await leave(second);
  await leave(first);
  expect(await scene.sandbox.act("push", { project: "acme/shop", branch: "third" })).toMatchObject({
    branch: "third",
    commit: expect.stringMatching(/^[0-9a-f]{40}$/),
  });
});

test("pushes that come at once all arrive", async () => {
  await scene.git("-C", "work", "commit", "--allow-empty", "-m", "at once");
  const branches = ["one", "two", "three", "four"];
  const pushes = branches.map((name) => scene.git("-C", "work", "push", "origin", `HEAD:refs/heads/${name}`));
  const byControl = scene.sandbox.act("push", { project: "acme/shop", branch: "five" });
  for (const pushed of await Promise.all(pushes)) expect(pushed).toMatchObject({ ok: true });
  await byControl;
  const listed = await scene.call("GET", "/projects/1/repository/branches?per_page=100");
  expect(listed.body.map(({ name }: { name: string }) => name)).toEqual(
    expect.arrayContaining([...branches, "five"]),
  );
});

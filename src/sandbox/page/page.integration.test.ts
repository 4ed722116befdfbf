import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { startAnswering, type AnsweringServer } from "../../../test/support/answering-server.ts";
import { replaceKnobs } from "../control/set-knobs.ts";
import { openScene, type Scene } from "../scene.suite.ts";

let scene: Scene;
let receiver: AnsweringServer;
beforeAll(async () => {
  scene = await openScene();
  receiver = await startAnswering(() => ({ body: "<b>thanks</b>" }));
  await scene.call("POST", "/projects/1/hooks", { url: receiver.url, token: "s3cret-of-a-hook" });
});
afterAll(async () => {
  await scene[Symbol.asyncDispose]();
  await receiver[Symbol.asyncDispose]();
});
beforeEach(() => replaceKnobs(scene.sandbox, {}));

const FORM = "application/x-www-form-urlencoded";

async function submit(fields: Record<string, string>, headers: Record<string, string> = {}) {
  const response = await fetch(`${scene.sandbox.url}/-/sandbox/page`, {
    method: "POST",
    headers: { "Content-Type": FORM, Origin: scene.sandbox.url, ...headers },
    body: new URLSearchParams(fields),
  });
  return { status: response.status, text: await response.text() };
}

async function page(): Promise<string> {
  return (await fetch(`${scene.sandbox.url}/`)).text();
}

describe("the page", () => {
  test("shows what it holds and no secret, and runs nothing", async () => {
    const response = await fetch(`${scene.sandbox.url}/`);
    const policy = response.headers.get("content-security-policy") ?? "";
    expect(policy).toMatch(/^default-src 'none'; style-src 'sha256-[^']+'; form-action 'self'/);
    const text = await response.text();
    for (const part of ["18.9.0", "acme/shop", "ann", receiver.url, "Initial commit"])
      expect(text).toContain(part);
    for (const secret of [scene.token, "s3cret-of-a-hook"]) expect(text).not.toContain(secret);
    expect(text).not.toMatch(/<script|javascript:| on\w+=| style=/);
  });

  test("a push with one click is a push: a commit, a call of the hook, and both on the page", async () => {
    const done = await submit({ do: "push", to: "1 main" });
    expect([done.status, /Pushed ([0-9a-f]{8}) to main of acme\/shop\./.test(done.text)]).toEqual([
      200,
      true,
    ]);
    await scene.sandbox.settled();
    expect(JSON.parse(receiver.asked.at(-1)?.body ?? "{}")).toMatchObject({ ref: "refs/heads/main" });
    const text = await page();
    expect(text).toContain("push_hooks: 200");
    expect(text).toContain("&lt;b&gt;thanks&lt;/b&gt;");
    expect(text).not.toContain("s3cret-of-a-hook");
  });

  test("says when there was no answer, and when not all projects are shown", async () => {
    await using many = await openScene();
    expect(await (await fetch(many.sandbox.url)).text()).not.toContain("The first");
    for (let n = 1; n <= 100; n++) await many.sandbox.state.createProject({ path: `many/p${n}` });
    await many.call("POST", "/projects/1/hooks", { url: "http://127.0.0.1:1/" });
    await many.sandbox.act("push", { project: 1 });
    await many.sandbox.settled();
    const text = await (await fetch(many.sandbox.url)).text();
    expect(text).toContain("The first 100 of 101 projects.");
    expect(text).toContain("There was no answer.");
  });

  test("names with markup in them stay text", async () => {
    await scene.sandbox.act("push", { project: 1, message: '<img src=x onerror="alert(1)">' });
    await scene.sandbox.settled();
    expect(await page()).not.toContain("<img");
  });

  test("knobs are switched, all of the form or none", async () => {
    const fields = {
      do: "knobs",
      "faults.front.answer": "bad_gateway",
      "faults.front.times": "",
      "faults.latencyMs": "7",
      "faults.webhooks.delayMs": "0",
      "settings.silentMode": "true",
      "settings.allowLocalRequests": "true",
    };
    expect((await submit(fields)).status).toBe(200);
    expect(scene.sandbox.faults).toMatchObject({
      latencyMs: 7,
      front: { answer: "bad_gateway", times: null },
    });
    expect(scene.sandbox.settings).toMatchObject({ silentMode: true, allowLocalRequests: true });
    expect((await scene.call("GET", "/user")).status).toBe(502);
    const wrong = await submit({ ...fields, "faults.maintenance": "true", "faults.latencyMs": "soon" });
    expect([wrong.status, wrong.text.includes('role="alert"')]).toEqual([400, true]);
    expect(scene.sandbox.faults.maintenance).toBe(false);
    expect((await submit({ do: "reset" })).status).toBe(200);
    expect(scene.sandbox.faults.front.answer).toBe("none");
  });

  test.each([
    [{ do: "delete_everything" }, {}, 400],
    [{ do: "create_token", user: "ann" }, {}, 400],
    [{ do: "push", to: "99 main" }, {}, 400],
    [{ do: "push", to: "1 a..b" }, {}, 400],
    [{ do: "push", to: "1 main" }, { Origin: "http://evil.example" }, 403],
    [{ do: "push", to: "1 main" }, { Origin: "null" }, 403],
    [{ do: "push", to: "1 main" }, { "Content-Type": "text/plain" }, 403],
    [{ do: "push", to: "1 main", more: "x".repeat(70_000) }, {}, 413],
  ])("%j %j: %d", async (fields, headers: Record<string, string>, status) => {
    const before = receiver.asked.length;
    expect((await submit(fields, headers)).status).toBe(status);
    await scene.sandbox.settled();
    expect(receiver.asked).toHaveLength(before);
  });

  test("a form that does not say where it comes from is refused", async () => {
    const response = await fetch(`${scene.sandbox.url}/-/sandbox/page`, {
      method: "POST",
      headers: { "Content-Type": FORM },
      body: "do=reset",
    });
    expect(response.status).toBe(403);
  });
});

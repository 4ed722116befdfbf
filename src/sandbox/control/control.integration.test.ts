import { request } from "node:http";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { openScene, type Scene } from "../scene.suite.ts";
import { replaceKnobs } from "./set-knobs.ts";

let scene: Scene;
beforeAll(async () => {
  scene = await openScene();
});
afterAll(() => scene[Symbol.asyncDispose]());
beforeEach(() => replaceKnobs(scene.sandbox, {}));

interface Got {
  readonly status: number;
  // oxlint-disable-next-line typescript/no-explicit-any -- tests look into bodies freely
  readonly body: any;
}

/** With headers that fetch would not let through. */
function ask(method: string, path: string, headers: Record<string, string>, body?: string): Promise<Got> {
  return new Promise((resolve, reject) => {
    const call = request(`${scene.sandbox.url}${path}`, { method, headers }, (response) => {
      let text = "";
      response.setEncoding("utf8").on("data", (piece: string) => (text += piece));
      response.on("end", () => {
        const json = response.headers["content-type"] === "application/json";
        resolve({ status: response.statusCode ?? 0, body: json ? JSON.parse(text) : text });
      });
    });
    call.on("error", reject);
    call.end(body);
  });
}

const JSON_TYPE = { "Content-Type": "application/json" };

describe("knobs at run time", () => {
  test("GET shows them, PATCH changes some, PUT sets all", async () => {
    const body = JSON.stringify({ faults: { latencyMs: 1 }, settings: { silentMode: true } });
    const patched = await ask("PATCH", "/-/sandbox", JSON_TYPE, body);
    expect([patched.status, patched.body.faults.latencyMs, patched.body.settings.silentMode]).toEqual([
      200,
      1,
      true,
    ]);
    expect((await ask("GET", "/-/sandbox", {})).body).toMatchObject({ settings: { silentMode: true } });
    const put = await ask("PUT", "/-/sandbox", JSON_TYPE, '{"faults":{"maintenance":true}}');
    expect(put.body).toMatchObject({
      faults: { latencyMs: 0, maintenance: true },
      settings: { silentMode: false },
    });
    expect(scene.sandbox.faults.maintenance).toBe(true);
  });

  test("no knob locks a person out of the control", async () => {
    await ask(
      "PATCH",
      "/-/sandbox",
      JSON_TYPE,
      '{"faults":{"front":{"answer":"reset"},"latencyMs":3600000,"readOnly":true}}',
    );
    expect((await ask("PUT", "/-/sandbox", JSON_TYPE, "{}")).status).toBe(200);
    expect((await scene.call("GET", "/user")).status).toBe(200);
  });

  test("every problem at once, and nothing is changed", async () => {
    const got = await ask(
      "PATCH",
      "/-/sandbox",
      JSON_TYPE,
      '{"faults":{"latencyMs":-1,"x":1,"maintenance":true}}',
    );
    expect([got.status, got.body.problems]).toEqual([
      400,
      ["faults.latencyMs: Too small: expected number to be >=0", "faults.x: there is no such knob"],
    ]);
    expect(scene.sandbox.faults.maintenance).toBe(false);
  });
});

test("an answer that cannot be sent fails its request, not the sandbox", async () => {
  scene.sandbox.settings.externalUrl = "http://例.example";
  expect((await scene.call("GET", "/projects")).status).toBe(500);
  expect((await ask("PUT", "/-/sandbox", JSON_TYPE, "{}")).status).toBe(200);
  expect((await scene.call("GET", "/projects")).status).toBe(200);
});

describe("strangers", () => {
  const own = () => new URL(scene.sandbox.url).host;
  test.each([
    ["a name that was made to point here", { Host: "evil.example:80" }, 403],
    ["the same with a port of ours", { Host: "evil.example" }, 403],
    ["a name that looks like ours", { Host: "localhost.evil.example" }, 403],
    ["the same with numbers", { Host: "127.0.0.1.evil.example" }, 403],
    ["a page of another site", { Origin: "http://evil.example" }, 403],
    ["a page in a frame without origin", { Origin: "null" }, 403],
    ["a page of another port of this machine", { Origin: "http://localhost:1" }, 403],
    ["no origin, but the browser says where from", { "Sec-Fetch-Site": "cross-site" }, 403],
    ["another port, says the browser", { "Sec-Fetch-Site": "same-site" }, 403],
    ["a form", { "Content-Type": "application/x-www-form-urlencoded" }, 415],
    ["plain text", { "Content-Type": "text/plain" }, 415],
  ])("%s", async (_who, headers: Record<string, string>, status) => {
    const got = await ask(
      "PATCH",
      "/-/sandbox",
      { ...JSON_TYPE, ...headers },
      '{"faults":{"maintenance":true}}',
    );
    expect([got.status, Object.keys(got.body)]).toEqual([status, ["error"]]);
    expect(scene.sandbox.faults.maintenance).toBe(false);
  });

  test.each(["/", "/-/sandbox", "/-/sandbox/page", "/-/sandbox/knobs"])(
    "a foreign Host reads nothing: %s",
    async (path) => {
      const got = await ask("GET", path, { Host: "evil.example" });
      expect([got.status, JSON.stringify(got.body).includes("acme")]).toEqual([403, false]);
    },
  );

  test.each([
    [
      "a script or picture of another site",
      { "Sec-Fetch-Site": "cross-site", "Sec-Fetch-Dest": "script" },
      403,
    ],
    ["a frame of another port", { "Sec-Fetch-Site": "same-site", "Sec-Fetch-Dest": "iframe" }, 403],
    ["a link that a person followed", { "Sec-Fetch-Site": "cross-site", "Sec-Fetch-Dest": "document" }, 200],
    ["an address that a person typed", { "Sec-Fetch-Site": "none", "Sec-Fetch-Dest": "document" }, 200],
  ])("reading by %s", async (_who, headers: Record<string, string>, status) => {
    for (const path of ["/", "/-/sandbox/contents"])
      expect((await ask("GET", path, headers)).status).toBe(status);
  });

  test("its own page may", async () => {
    const headers = { ...JSON_TYPE, Origin: `http://${own()}`, "Sec-Fetch-Site": "same-origin" };
    expect((await ask("PATCH", "/-/sandbox", headers, "{}")).status).toBe(200);
    const named = { ...JSON_TYPE, Host: "localhost:99", Origin: "http://localhost:99" };
    expect((await ask("PATCH", "/-/sandbox", named, "{}")).status).toBe(200);
  });

  test("a large body, broken JSON, no such path", async () => {
    const large = await ask("PATCH", "/-/sandbox", JSON_TYPE, JSON.stringify({ x: "x".repeat(1024 * 1024) }));
    expect(large.status).toBe(413);
    expect((await ask("PATCH", "/-/sandbox", JSON_TYPE, "{")).body).toMatchObject({
      problems: ["body: no valid JSON"],
    });
    expect((await ask("DELETE", "/-/sandbox", {})).status).toBe(404);
    expect((await ask("GET", "/-/sandbox/nothing", {})).status).toBe(404);
    expect((await ask("GET", "/-/sandboxx", {})).status).toBe(404);
  });
});

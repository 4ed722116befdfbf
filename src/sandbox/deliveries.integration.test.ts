import { createServer } from "node:net";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { startAnswering, type AnsweringServer, type Reply } from "../../test/support/answering-server.ts";
import { openScene, type Scene } from "./scene.suite.ts";

let scene: Scene;
let receiver: AnsweringServer;
let reply: Reply | ((path: string) => Reply | Promise<Reply>) = {};
/** Stands still, so that no minute of a limit ends within a test. */
const time = { at: Date.now() };
beforeAll(async () => {
  scene = await openScene({ clock: { now: () => time.at } });
  receiver = await startAnswering((asked) => (typeof reply === "function" ? reply(asked.url) : reply));
});
afterAll(async () => {
  await scene[Symbol.asyncDispose]();
  await receiver[Symbol.asyncDispose]();
});
beforeEach(() => {
  reply = {};
  receiver.asked.length = 0;
  time.at += 61_000; // a new minute for every test's limits
  scene.sandbox.rows.hooks.clear();
  Object.assign(scene.sandbox.settings, {
    webhookTimeoutMs: 10_000,
    maxResponseBytes: 1024 * 1024,
    autoDisableWebhooks: null,
  });
});

async function hook(given: Record<string, unknown> = {}): Promise<number> {
  const answer = await scene.call("POST", "/projects/1/hooks", { url: receiver.url, ...given });
  expect([answer.status, answer.text]).toEqual([201, expect.any(String)]);
  return answer.body.id;
}

const ask = (id: number) => scene.call("POST", `/projects/1/hooks/${id}/test/push_events`);

async function said(id: number): Promise<string> {
  const answer = await ask(id);
  expect(answer.status).toBe(422);
  return answer.body.message;
}

async function change(name: string): Promise<void> {
  const path = `/projects/1/repository/files/${name}`;
  const answer = await scene.call("POST", path, { branch: "main", commit_message: name, content: "x" });
  expect(answer.status).toBe(201);
  await scene.sandbox.settled();
}

describe("hostile receivers", () => {
  test("one that never answers, one that drips, one that resets", async () => {
    scene.sandbox.settings.webhookTimeoutMs = 800;
    const id = await hook();
    reply = () => new Promise(() => {});
    expect(await said(id)).toBe("Net::ReadTimeout with #<TCPSocket:(closed)>");
    reply = { cut: true };
    expect(await said(id)).toBe("end of file reached");
    const dripping = createServer((socket) => {
      socket.on("error", () => {});
      socket.write("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n");
      const drip = setInterval(() => socket.write("x"), 50);
      socket.on("close", () => clearInterval(drip));
    });
    await new Promise<void>((resolve) => dripping.listen(0, "127.0.0.1", resolve));
    const { port } = dripping.address() as { port: number };
    expect(await said(await hook({ url: `http://127.0.0.1:${port}/` }))).toBe(
      "Request timed out after 0.8 seconds",
    );
    await new Promise((resolve) => dripping.close(resolve));
  });

  test("one that answers too much, one that sends round in circles, one that is not there", async () => {
    const id = await hook();
    scene.sandbox.settings.maxResponseBytes = 10_000;
    reply = { body: "y".repeat(10_001) };
    expect(await said(id)).toBe("Response size limit exceeded");
    reply = { status: 307, headers: { location: "/again" } };
    expect(await said(id)).toBe("HTTP redirects too deep");
    expect(receiver.asked.filter((asked) => asked.url === "/again")).toHaveLength(5);
    expect(await said(await hook({ url: "http://127.0.0.1:9/" }))).toBe(
      'Failed to open TCP connection to 127.0.0.1:9 (Connection refused - connect(2) for "127.0.0.1" port 9)',
    );
    expect(await said(await hook({ url: "http://nowhere.invalid/" }))).toBe(
      "URL is blocked: Host cannot be resolved or invalid",
    );
  });

  test("one whose certificate nobody knows, unless that does not matter", async () => {
    await using tls = await startAnswering(() => ({}), "self-signed.pem");
    expect(await said(await hook({ url: tls.url }))).toMatch(
      /^SSL_connect returned=1 .*certificate verify failed \(self-signed certificate\)$/,
    );
    expect((await ask(await hook({ url: tls.url, enable_ssl_verification: false }))).status).toBe(201);
  });

  test("a redirect does not lead behind the wall", async () => {
    const id = await hook();
    scene.sandbox.settings.allowLocalRequests = false;
    scene.sandbox.settings.outboundAllowlist = [`127.0.0.1:${receiver.port}`];
    reply = { status: 307, headers: { location: "http://127.0.0.1:9/inside" } };
    expect(await said(id)).toBe("URL is blocked: Requests to localhost are not allowed");
    scene.sandbox.settings.allowLocalRequests = true;
    scene.sandbox.settings.outboundAllowlist = [];
  });

  test("307 keeps method and body, 303 does not", async () => {
    const id = await hook();
    reply = (path) => (path === "/" ? { status: 307, headers: { location: "/kept" } } : {});
    await ask(id);
    reply = (path) => (path === "/" ? { status: 303, headers: { location: "/lost" } } : {});
    await ask(id);
    expect(receiver.asked.map(({ method, url, body }) => [method, url, body.length > 0])).toEqual([
      ["POST", "/", true],
      ["POST", "/kept", true],
      ["POST", "/", true],
      ["GET", "/lost", false],
    ]);
  });
});

describe("what a hook of one's own sends", () => {
  test("custom headers, variables and a template; built-in headers stay", async () => {
    const id = await hook({
      url: `http://127.0.0.1:${receiver.port}/{path}`,
      url_variables: [{ key: "path", value: "secret-path" }],
      token: "s3cret",
      custom_headers: [
        { key: "X-Mine", value: "mine" },
        { key: "x-gitlab-event", value: "Forged Hook" },
        { key: "Host", value: "elsewhere" },
      ],
      custom_webhook_template: '{"what":"{{object_kind}}","n":{{total_commits_count}}}',
    });
    expect((await ask(id)).status).toBe(201);
    const asked = receiver.asked[0]!;
    expect([asked.url, JSON.parse(asked.body)]).toEqual(["/secret-path", { what: "push", n: 1 }]);
    expect(asked.headers).toMatchObject({
      "x-mine": "mine",
      "x-gitlab-event": "Push Hook",
      host: `127.0.0.1:${receiver.port}`,
    });
    const log = await scene.call("GET", `/projects/1/hooks/${id}/events`);
    expect(log.body[0].request_headers).toMatchObject({
      "X-Mine": "[REDACTED]",
      "X-Gitlab-Token": "[REDACTED]",
    });
    const rows = JSON.stringify(scene.sandbox.deliveries(id));
    for (const secret of ["s3cret", "secret-path"]) expect(log.text + rows).not.toContain(secret);
  });

  test("single values are set and removed, and a changed URL drops them", async () => {
    const id = await hook({ token: "t" });
    const path = `/projects/1/hooks/${id}`;
    const put = async (what: string, value: string) =>
      (await scene.call("PUT", `${path}/${what}`, { value })).status;
    expect(await put("custom_headers/X-One", "1")).toBe(204);
    expect(await put("url_variables/one", "1")).toBe(204);
    expect(await put("custom_headers/X-One", " padded")).toBe(422);
    expect(await put("custom_headers/X-One", "two%0Alines")).toBe(422);
    expect(await put("custom_headers/X-One", String.raw`two\nlines`)).toBe(422);
    expect(await put("custom_headers/a%20b", "1")).toBe(422);
    expect(await put("url_variables/1a", "1")).toBe(422);
    expect((await scene.call("PUT", `/projects/1/hooks/999/url_variables/a`, { value: "1" })).body).toEqual({
      message: "404 Not found",
    });
    const shown = await scene.call("GET", path);
    expect(shown.body).toMatchObject({ url_variables: [{ key: "one" }], custom_headers: [{ key: "X-One" }] });
    expect((await scene.call("DELETE", `${path}/url_variables/one`)).status).toBe(204);
    expect((await scene.call("DELETE", `${path}/url_variables/one`)).status).toBe(404);
    const moved = await scene.call("PUT", path, {
      url: `${receiver.url}/new`,
      token: "kept",
      custom_headers: [{ key: "X-Two", value: "2" }],
    });
    expect([moved.status, moved.body.custom_headers]).toEqual([200, []]);
    expect(scene.sandbox.rows.hooks.get(id)?.token).toBe("kept");
  });

  test("a template that makes no JSON is an error that is logged", async () => {
    const id = await hook({ custom_webhook_template: '{"a":"{{object_kind}}' });
    expect(await said(id)).toMatch(/^Error while parsing rendered custom webhook template: /);
    expect(receiver.asked).toEqual([]);
  });

  test("a variable that nobody gave is a bad URL", async () => {
    const answer = await scene.call("POST", "/projects/1/hooks", { url: "http://x.example/{who}" });
    expect([answer.status, answer.body]).toEqual([422, { error: "Invalid url given" }]);
  });
});

describe("the log of calls", () => {
  test("newest first, filtered, twenty at most", async () => {
    const id = await hook();
    for (const status of [200, 404, 503]) {
      reply = { status, body: "said", headers: { "x-one": "1" } };
      await ask(id);
    }
    const path = `/projects/1/hooks/${id}/events`;
    const all = await scene.call("GET", path);
    expect(all.body.map((one: { response_status: string }) => one.response_status)).toEqual([
      "503",
      "404",
      "200",
    ]);
    expect(Object.keys(all.body[0])).toEqual([
      "id",
      "url",
      "trigger",
      "request_headers",
      "request_data",
      "response_headers",
      "response_body",
      "execution_duration",
      "response_status",
    ]);
    expect(all.body[0]).toMatchObject({ trigger: "push_hooks", response_body: "said" });
    expect(all.body[0].response_headers).toMatchObject({ "X-One": "1" });
    const count = async (query: string) => (await scene.call("GET", `${path}?${query}`)).body.length;
    expect(await count("status=successful")).toBe(1);
    expect(await count("status=404,server_failure")).toBe(2);
    expect(await count("status[]=404&status[]=200")).toBe(2);
    for (const [query, error] of [
      ["per_page=21", "per_page does not have a valid value"],
      ["per_page=0", "per_page does not have a valid value"],
      ["status=bad", "status does not have a valid value"],
      ["status=200,999", "status does not have a valid value"],
    ]) {
      const answer = await scene.call("GET", `${path}?${query}`);
      expect([answer.status, answer.body]).toEqual([400, { error }]);
    }
    time.at += 8 * 24 * 60 * 60_000;
    expect(await count("per_page=20")).toBe(0);
  });

  test("a call is made again under its key, five times a minute", async () => {
    const id = await hook({ custom_webhook_template: '{"n":"{{object_kind}}"}' });
    reply = { status: 500 };
    await ask(id);
    reply = { status: 202 };
    const log = scene.sandbox.deliveries(id)[0]?.id;
    const path = `/projects/1/hooks/${id}/events/${log}/resend`;
    const again = await scene.call("POST", path);
    expect([again.status, again.body]).toEqual([201, { response_status: 202 }]);
    const [first, second] = receiver.asked;
    expect(second?.body).toBe(first?.body);
    expect(second?.headers["idempotency-key"]).toBe(first?.headers["idempotency-key"]);
    expect(second?.headers["x-gitlab-webhook-uuid"]).not.toBe(first?.headers["x-gitlab-webhook-uuid"]);
    expect((await scene.call("POST", path.replace(String(log), "99999"))).status).toBe(404);
    await scene.call("PUT", `/projects/1/hooks/${id}`, { url: `${receiver.url}/other` });
    const moved = await scene.call("POST", path);
    expect([moved.status, moved.body]).toEqual([
      422,
      { message: "The hook URL has changed. This log entry cannot be retried." },
    ]);
    for (let n = 0; n < 2; n++) await scene.call("POST", path);
    expect((await scene.call("POST", path)).status).toBe(429);
  });
});

describe("hooks that fail, and hooks that call each other", () => {
  test("a failing hook is set aside, a test reaches it and takes it back", async () => {
    scene.sandbox.settings.autoDisableWebhooks = true;
    const id = await hook();
    reply = { status: 500 };
    for (const n of [1, 2, 3, 4, 5]) await change(`fails${n}.txt`);
    expect(receiver.asked).toHaveLength(4);
    const aside = (await scene.call("GET", `/projects/1/hooks/${id}`)).body;
    expect([aside.alert_status, typeof aside.disabled_until]).toEqual(["temporarily_disabled", "string"]);
    reply = {};
    expect((await ask(id)).status).toBe(201);
    const back = (await scene.call("GET", `/projects/1/hooks/${id}`)).body;
    expect([back.alert_status, back.disabled_until]).toEqual(["executable", null]);
  });

  test("a receiver that changes the project it hears of is called once in its chain", async () => {
    await hook();
    let made = 0;
    reply = async () => ({});
    await using looping = await startAnswering(async (asked) => {
      const response = await fetch(`${scene.sandbox.url}/api/v4/projects/1/repository/files/loop${made++}`, {
        method: "POST",
        headers: {
          "PRIVATE-TOKEN": scene.token,
          "Content-Type": "application/json",
          "X-Gitlab-Event-UUID": String(asked.headers["x-gitlab-event-uuid"]),
        },
        body: JSON.stringify({ branch: "main", commit_message: "loop", content: "x" }),
      });
      return { status: response.ok ? 200 : 500 };
    });
    const id = await hook({ url: looping.url });
    await change("start.txt");
    expect([looping.asked.length, receiver.asked.length]).toEqual([1, 2]);
    expect(scene.sandbox.deliveries(id).map((delivery) => delivery.responseStatus)).toEqual([200]);
    const events = receiver.asked.map((asked) => asked.headers["x-gitlab-event-uuid"]);
    expect(events[1]).toBe(looping.asked[0]?.headers["x-gitlab-event-uuid"]);
  });

  test("calls beyond the limit of the namespace are dropped without a trace", async () => {
    scene.sandbox.settings.webhookCallsPerMinute = 1;
    const id = await hook();
    await change("limit1.txt");
    await change("limit2.txt");
    scene.sandbox.settings.webhookCallsPerMinute = 0;
    expect(scene.sandbox.deliveries(id)).toHaveLength(1);
  });

  test("out of order: the second overtakes the first", async () => {
    const id = await hook();
    await scene.git("clone", scene.remote(), "order");
    scene.sandbox.faults.webhooks.outOfOrder = true;
    await scene.git("-C", "order", "push", "origin", "HEAD:refs/heads/one", "HEAD:refs/heads/two");
    await scene.sandbox.settled();
    scene.sandbox.faults.webhooks.outOfOrder = false;
    const refs = receiver.asked.map((asked) => JSON.parse(asked.body).ref);
    expect([refs, scene.sandbox.deliveries(id).length]).toEqual([["refs/heads/two", "refs/heads/one"], 2]);
  });
});

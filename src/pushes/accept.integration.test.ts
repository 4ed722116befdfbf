import { describe, expect, test } from "vitest";
import { request } from "../../test/support/apps-world.ts";
import {
  call,
  deployed,
  fromGitLab,
  pushBody,
  setUpPushes,
  sha,
  ZEROS,
} from "../../test/support/pushes-world.ts";
import type { Store } from "../store/store.ts";
import type { IncomingDelivery } from "./pushes.ts";

const stored = (store: Store) =>
  store.db.selectFrom("delivery").selectAll().orderBy("received_at").orderBy("id").execute();
const badSecrets = async (store: Store): Promise<number> =>
  (await store.db.selectFrom("linked_project").select("bad_secret_count").executeTakeFirstOrThrow())
    .bad_secret_count;

describe("accepted", () => {
  test("is in the database and announced before it is answered", async () => {
    const world = await setUpPushes();
    const heard: string[] = [];
    await world.store.listen("delivery", (payload) => heard.push(payload));
    const answer = await world.pushes.accept(fromGitLab(world, pushBody(), "delivery-0001"));
    expect(answer).toEqual({ kind: "accepted", deliveryId: expect.stringMatching(/^dlv_/) });
    const [row] = await stored(world.store);
    expect(row).toMatchObject({
      id: answer.kind === "accepted" ? answer.deliveryId : "",
      state: "received",
      verdict: null,
      event: "push",
      dedupe_key: "delivery-0001",
      payload: { ref: "refs/heads/main", after: sha("b") },
      body_bytes: pushBody().length,
    });
    await expect.poll(() => heard).toEqual([row?.id]);
  });

  test("neither secret nor signature is stored", async () => {
    const world = await setUpPushes();
    const delivery = fromGitLab(world, pushBody());
    await world.pushes.accept(delivery);
    const text = JSON.stringify(await stored(world.store));
    expect(text).not.toContain(delivery.headers["x-gitlab-token"]);
    expect(text).not.toContain(delivery.headers["webhook-signature"]);
    expect(text).toContain("GitLab/19.0.0");
  });

  test("costs one statement once the hook is known", async () => {
    const world = await setUpPushes();
    await world.pushes.accept(fromGitLab(world, pushBody()));
    let acquired = 0;
    world.store.pool.on("acquire", () => acquired++);
    for (let i = 0; i < 5; i++) await world.pushes.accept(fromGitLab(world, pushBody()));
    expect(acquired).toBe(5);
  });
});

describe("ignored, with its reason", () => {
  test.each<[string, Parameters<typeof pushBody>[0], string]>([
    ["a deleted branch", { after: ZEROS }, "branch main was deleted"],
    ["another project", { projectId: 43 }, "project 43"],
    ["a tag", { extra: { object_kind: "tag_push", ref: "refs/tags/v1" } }, "tag v1"],
    ["a comment", { extra: { object_kind: "note" } }, "note"],
    [
      "GitLab's sample",
      {
        projectId: 15,
        after: "da1560886d4f094c3e6c9ef40349f7d38b5d27d7",
        extra: { project: { id: 15, path_with_namespace: "gitlab/gitlab" } },
      },
      "sample",
    ],
  ])("%s", async (_name, options, words) => {
    const world = await setUpPushes();
    const heard: string[] = [];
    await world.store.listen("delivery", (payload) => heard.push(payload));
    const answer = await world.pushes.accept(fromGitLab(world, pushBody(options)));
    expect(answer).toMatchObject({
      kind: "ignored",
      deliveryId: expect.any(String),
      reason: expect.stringContaining(words),
    });
    const [row] = await stored(world.store);
    expect(row).toMatchObject({
      state: "processed",
      verdict: "ignored",
      reason: expect.stringContaining(words),
    });
    expect(row?.processed_at).toBeInstanceOf(Date);
    expect(heard).toEqual([]);
  });

  test("the same delivery again, while it waits and after it deployed, but not after it failed", async () => {
    const world = await setUpPushes();
    const send = () => world.pushes.accept(fromGitLab(world, pushBody(), "the-same-one"));
    expect((await send()).kind).toBe("accepted");
    expect(await send()).toMatchObject({ kind: "ignored", reason: "duplicate delivery" });
    await world.store.db
      .updateTable("delivery")
      .set({ verdict: "deployed", state: "processed" })
      .where("verdict", "is", null)
      .execute();
    expect(await send()).toMatchObject({ kind: "ignored", reason: "duplicate delivery" });
    await world.store.db
      .updateTable("delivery")
      .set({ verdict: "failed" })
      .where("verdict", "=", "deployed")
      .execute();
    expect((await send()).kind).toBe("accepted");
  });

  test("the same key at another project is another delivery", async () => {
    const world = await setUpPushes();
    await world.pushes.accept(fromGitLab(world, pushBody(), "shared-key"));
    Object.assign(world.gitlab.project, { id: 43, path: "acme/two" });
    await world.apps.link({ ...request, project: "acme/two" });
    const hook = [...world.gitlab.hooks.values()].at(-1)!;
    const answer = await world.pushes.accept(call(hook.settings, pushBody({ projectId: 43 }), "shared-key"));
    expect(answer.kind).toBe("accepted");
  });
});

describe("refused", () => {
  test("a wrong secret, no secret, a body that was changed: counted, no row", async () => {
    const world = await setUpPushes();
    const good = fromGitLab(world, pushBody());
    const without = (...names: string[]) => ({
      ...good,
      headers: { ...good.headers, ...Object.fromEntries(names.map((name) => [name, undefined])) },
    });
    const calls = [
      { ...good, body: pushBody({ branch: "evil" }) },
      without("webhook-signature"), // this hook is known to sign
      without("webhook-signature", "x-gitlab-token"),
      { ...good, headers: { ...good.headers, "webhook-signature": "v1,AAAA" } },
      { ...good, headers: {} },
      { ...good, headers: { ...good.headers, "webhook-timestamp": "1" } },
    ];
    for (const one of calls) expect(await world.pushes.accept(one)).toEqual({ kind: "refused" });
    expect(await badSecrets(world.store)).toBe(calls.length);
    expect(await stored(world.store)).toEqual([]);
    expect((await world.pushes.accept(good)).kind).toBe("accepted");
  });

  test("before GitLab 19 the secret alone is enough, and only the right one", async () => {
    const world = await setUpPushes();
    await world.store.db.updateTable("linked_project").set({ hook_signed: false }).execute();
    const good = fromGitLab(world, pushBody());
    const headers: IncomingDelivery["headers"] = { ...good.headers, "webhook-signature": undefined };
    expect((await world.pushes.accept({ ...good, headers })).kind).toBe("accepted");
    const wrong = { ...headers, "x-gitlab-token": `${headers["x-gitlab-token"]}x` };
    expect(await world.pushes.accept({ ...good, headers: wrong })).toEqual({ kind: "refused" });
    expect(await badSecrets(world.store)).toBe(1);
  });

  test("an unknown path, hostile paths", async () => {
    const world = await setUpPushes();
    const good = fromGitLab(world, pushBody());
    for (const hookPath of [
      "",
      "x".repeat(43),
      "__proto__",
      "constructor",
      "../x",
      "'; drop table delivery; --",
      "x".repeat(100_000),
    ]) {
      expect(await world.pushes.accept({ ...good, hookPath })).toEqual({ kind: "unknown_hook" });
    }
    expect(await stored(world.store)).toEqual([]);
  });

  test("unlinked a moment ago, with the hook still remembered: unknown", async () => {
    const world = await setUpPushes();
    const good = fromGitLab(world, pushBody());
    await world.pushes.accept(good);
    await world.apps.unlink("shop");
    expect(await world.pushes.accept(good)).toEqual({ kind: "unknown_hook" });
    expect(await world.pushes.accept(good)).toEqual({ kind: "unknown_hook" });
  });

  test("a database that is gone is said, not swallowed", async () => {
    const world = await setUpPushes();
    const good = fromGitLab(world, pushBody());
    await world.pushes.accept(fromGitLab(world, pushBody()));
    await world.store.pool.query("alter table delivery rename to away");
    await expect(world.pushes.accept(good)).rejects.toMatchObject({
      code: "DATABASE_UNAVAILABLE",
      retryable: true,
    });
    await world.store.pool.query("alter table away rename to delivery");
    expect((await world.pushes.accept(good)).kind).toBe("accepted");
  });
});

describe("hostile bodies, rightly signed", () => {
  const malformed: [string, Buffer][] = [
    ["empty", Buffer.alloc(0)],
    ["not JSON", Buffer.from("payload=%7B%7D")],
    ["an array", Buffer.from("[]")],
    ["null", Buffer.from("null")],
    ["not UTF-8", Buffer.from([0x7b, 0xff, 0x7d])],
    ["no commit ids", pushBody({ after: "'; drop table delivery" })],
    ["a branch like an option", pushBody({ branch: "--upload-pack=x", extra: { ref: "--upload-pack=x" } })],
    ["half a JSON", pushBody().subarray(0, 100)],
  ];
  test("are malformed and leave nothing", async () => {
    const world = await setUpPushes();
    for (const [name, body] of malformed) {
      expect([name, (await world.pushes.accept(fromGitLab(world, body))).kind]).toEqual([name, "malformed"]);
    }
    expect(await stored(world.store)).toEqual([]);
    expect(await badSecrets(world.store)).toBe(0);
  });

  test("prototype keys, NUL, half surrogate pairs, deep nesting: stored as far as they can be, and still read right", async () => {
    const world = await setUpPushes();
    const whole = pushBody().toString().slice(0, -1);
    const bodies = [
      `${whole},"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}}}`,
      `${whole},"message":"a\\u0000b"}`,
      `${whole},"message":"a\\ud800b"}`,
      `${whole},"deep":${"[".repeat(200_000)}${"]".repeat(200_000)}}`,
      `${whole},"number":1e400}`,
    ];
    for (const body of bodies) {
      expect(await world.pushes.accept(fromGitLab(world, Buffer.from(body)))).toMatchObject({
        kind: "accepted",
      });
    }
    expect(Reflect.get({}, "polluted")).toBeUndefined();
    const rows = await stored(world.store);
    expect(rows).toHaveLength(bodies.length);
    for (const row of rows)
      expect(row.payload).toMatchObject({ ref: "refs/heads/main", before: sha("a"), after: sha("b") });
  });

  test("25 MB: verified, answered, and kept as the fields that matter", async () => {
    const world = await setUpPushes();
    const body = pushBody({
      extra: {
        commits: Array.from({ length: 20 }, () => ({ message: "x".repeat(1_250_000) })),
        push_options: { ci: { skip: true } },
      },
    });
    expect(body.length).toBeGreaterThan(25_000_000);
    expect((await world.pushes.accept(fromGitLab(world, body))).kind).toBe("accepted");
    const [row] = await stored(world.store);
    expect(row?.body_bytes).toBe(body.length);
    expect(JSON.stringify(row?.payload).length).toBeLessThan(1000);
    expect(row?.payload).toMatchObject({ shortened: true, ref: "refs/heads/main", after: sha("b") });
    world.gitlab.push("main", sha("b"));
    await world.settle();
    const [done] = await stored(world.store);
    expect(done).toMatchObject({ verdict: "ignored", reason: expect.stringContaining("push option") });
  });
});

test("deliveries that share a statement do not share their fate", async () => {
  const world = await setUpPushes();
  const good = fromGitLab(world, pushBody());
  await world.pushes.accept(good);
  const { settings } = [...world.gitlab.hooks.values()][0]!;
  Object.assign(world.gitlab.project, { id: 43, path: "acme/two" });
  await world.apps.link({ ...request, project: "acme/two", name: "two" });
  const other = [...world.gitlab.hooks.values()].at(-1)!.settings;
  await world.pushes.accept(call(other, pushBody({ projectId: 43 })));
  await world.apps.unlink("two");

  const answers = await Promise.all([
    ...Array.from({ length: 20 }, () => world.pushes.accept(call(settings, pushBody()))),
    world.pushes.accept(call(settings, pushBody({ extra: { message: "a\0b" } }))),
    world.pushes.accept(call(other, pushBody({ projectId: 43 }))),
    ...Array.from({ length: 20 }, () => world.pushes.accept(call(settings, pushBody()))),
  ]);
  const kinds = answers.map((answer) => answer.kind);
  expect(kinds.filter((kind) => kind === "accepted")).toHaveLength(41);
  expect(kinds[21]).toBe("unknown_hook");
  expect(await stored(world.store)).toHaveLength(42);
});

test("200 at once, every fourth a duplicate: all stored, one verdict each, nothing deployed twice", async () => {
  const world = await setUpPushes();
  world.gitlab.push("main", sha("b"));
  const calls = Array.from({ length: 200 }, (_, i) =>
    fromGitLab(world, pushBody(), `burst-${i % 4 === 3 ? i - 1 : i}-x`),
  );
  const answers = await Promise.all(calls.map((one) => world.pushes.accept(one)));
  expect(answers.every((answer) => answer.kind === "accepted" || answer.kind === "ignored")).toBe(true);
  expect(await stored(world.store)).toHaveLength(200);
  await world.settle();
  expect(await deployed(world.store)).toEqual([sha("b")]);
  const rows = await stored(world.store);
  expect(rows.filter((row) => row.verdict === "deployed")).toHaveLength(1);
  expect(
    rows.every((row) => row.verdict !== null && (row.verdict === "deployed" || row.reason !== null)),
  ).toBe(true);
});

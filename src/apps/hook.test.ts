import { expect, test } from "vitest";
import { createMemoryGitLab, type MemoryGitLab } from "../../test/support/memory-gitlab.ts";
import { Fault } from "../faults/fault.ts";
import { ensureDeployKey } from "./deploy-key.ts";
import { ensureHook, type HookWish } from "./hook.ts";
import { newHookSecrets } from "./hook-secrets.ts";

const PUBLIC = "http://127.0.0.1:8080";
const secrets = newHookSecrets();
const wish: HookWish = {
  projectId: 42,
  publicUrl: PUBLIC,
  hookPath: "path-1",
  hookId: null,
  secrets,
  isForgotten: async (path) => path.startsWith("forgotten"),
};
const OURS = `${PUBLIC}/hooks/gitlab/path-1`;
const urls = (gitlab: MemoryGitLab): string[] => [...gitlab.hooks.values()].map((hook) => hook.url);

test("made where there is none, with address, secret and signing token together", async () => {
  const gitlab = createMemoryGitLab();
  const other = gitlab.addHook("https://ci.acme.lan/x");
  const outcome = await ensureHook(gitlab.client, wish);
  expect(outcome).toEqual({ state: "active", id: expect.any(Number), signed: true });
  expect(urls(gitlab)).toEqual(["https://ci.acme.lan/x", OURS]);
  const made = [...gitlab.hooks.values()].find((hook) => hook.id !== other);
  expect(made?.settings).toEqual({
    url: OURS,
    token: secrets.token,
    signingToken: secrets.signingToken,
    name: "Fairlead",
  });
  expect(secrets.signingToken.reveal()).toMatch(/^whsec_[A-Za-z0-9+/]{43}=$/);
  expect(Buffer.from(secrets.token.reveal(), "base64url")).toHaveLength(32);
});

test.each([null, false])(
  "a GitLab that answers signing_token_present: %j is not taken for signing",
  async (present) => {
    const gitlab = createMemoryGitLab();
    gitlab.signs = present as boolean;
    expect(await ensureHook(gitlab.client, wish)).toMatchObject({ state: "active", signed: false });
  },
);

test("again: updated in place, never a second one, whatever the public address has become", async () => {
  const gitlab = createMemoryGitLab();
  const first = await ensureHook(gitlab.client, wish);
  const again = await ensureHook(gitlab.client, {
    ...wish,
    hookId: first.state === "active" ? first.id : null,
  });
  expect(again).toEqual(first);
  await ensureHook(gitlab.client, { ...wish, publicUrl: "http://localhost:9" });
  expect(urls(gitlab)).toEqual(["http://localhost:9/hooks/gitlab/path-1"]);
  expect(gitlab.calls.filter((call) => call === "createHook")).toHaveLength(1);
});

test("duplicates of ours and what forgotten links left go, other people's and other links' hooks stay", async () => {
  const gitlab = createMemoryGitLab();
  const kept = gitlab.addHook(OURS);
  gitlab.addHook(OURS);
  gitlab.addHook(`${PUBLIC}/hooks/gitlab/forgotten-1`);
  gitlab.addHook(`${PUBLIC}/hooks/gitlab/alive`);
  gitlab.addHook(`${PUBLIC}/hooks/gitlabx/forgotten-2`);
  expect(await ensureHook(gitlab.client, wish)).toMatchObject({ id: kept });
  expect(urls(gitlab).sort()).toEqual(
    [`${PUBLIC}/hooks/gitlab/alive`, OURS, `${PUBLIC}/hooks/gitlabx/forgotten-2`].sort(),
  );
});

const unclear = [
  Fault.of("UNREACHABLE", "timeout", { retryable: true }),
  Fault.of("UNREACHABLE", "reset"),
  Fault.of("GITLAB_UNAVAILABLE", "bad_gateway"),
  Fault.of("GITLAB_UNAVAILABLE", "error"),
];
test.each(unclear)("made although $message was said: found, not made again", async (fault) => {
  const gitlab = createMemoryGitLab();
  gitlab.fail("createHook", fault, { afterwards: true });
  expect(await ensureHook(gitlab.client, wish)).toMatchObject({ state: "active", signed: true });
  expect(urls(gitlab)).toEqual([OURS]);
});

test.each(unclear)("not made, and $message was said: thrown, not tried again", async (fault) => {
  const gitlab = createMemoryGitLab();
  gitlab.fail("createHook", fault);
  await expect(ensureHook(gitlab.client, wish)).rejects.toBe(fault);
  expect(gitlab.calls).toEqual(["listHooks", "createHook", "listHooks"]);
});

test("the look after an unclear answer does not use the caller's spent time", async () => {
  const gitlab = createMemoryGitLab();
  const stop = new AbortController();
  const release = gitlab.hold("createHook");
  const made = ensureHook(gitlab.client, wish, stop.signal);
  gitlab.addHook(OURS); // the request had arrived
  setImmediate(() => stop.abort());
  expect(await made).toMatchObject({ state: "active" });
  release();
});

test.each([
  Fault.of("HOOK_URL_REFUSED", "", { evidence: { words: "Invalid url given" } }),
  Fault.of("HOOK_LIMIT_REACHED", ""),
  Fault.of("INSUFFICIENT_ROLE", ""),
])("$code: polling serves, and it is said why", async (fault) => {
  const gitlab = createMemoryGitLab();
  gitlab.fail("createHook", fault);
  const outcome = await ensureHook(gitlab.client, wish);
  expect(outcome).toMatchObject({
    state: "polling",
    reason: expect.stringContaining("looks at the branches by itself"),
  });
  expect(JSON.stringify(outcome)).toContain(fault.evidence.words ?? "");
});

test("no public URL, or a loopback one for a GitLab elsewhere: GitLab is not even asked", async () => {
  const gitlab = createMemoryGitLab({}, "https://git.acme.lan");
  expect(await ensureHook(gitlab.client, { ...wish, publicUrl: null })).toMatchObject({ state: "polling" });
  expect(await ensureHook(gitlab.client, wish)).toMatchObject({ state: "polling" });
  expect(gitlab.calls).toEqual([]);
});

const key = { projectId: 42, title: "Fairlead shop", publicKey: "ssh-ed25519 AAAA fairlead-shop" };

test("a deploy key: made, the same again, found after an unclear answer even without its comment", async () => {
  const gitlab = createMemoryGitLab();
  const made = await ensureDeployKey(gitlab.client, key);
  expect(await ensureDeployKey(gitlab.client, key)).toEqual(made);
  expect(gitlab.keys.size).toBe(1);

  const masking = createMemoryGitLab();
  masking.keys.set(7, { id: 7, title: "x", key: "ssh-ed25519 AAAA Ada (git.acme.lan)", canPush: false });
  masking.fail("createDeployKey", Fault.of("UNREACHABLE", "timeout"));
  expect(await ensureDeployKey(masking.client, key)).toEqual({ made: true, id: 7 });
});

test.each(["DEPLOY_KEY_TAKEN", "DEPLOY_KEY_FORBIDDEN", "INSUFFICIENT_ROLE"] as const)(
  "%s: goes on without a key",
  async (code) => {
    const gitlab = createMemoryGitLab();
    gitlab.fail("createDeployKey", Fault.of(code, ""));
    expect(await ensureDeployKey(gitlab.client, key)).toEqual({
      made: false,
      reason: expect.stringContaining(code),
    });
  },
);

test("any other trouble with the key is thrown", async () => {
  const gitlab = createMemoryGitLab();
  const fault = Fault.of("AUTH_FAILED", "revoked");
  gitlab.fail("createDeployKey", fault);
  await expect(ensureDeployKey(gitlab.client, key)).rejects.toBe(fault);
});

import { describe, expect, test } from "vitest";
import { createMemoryGitLab, type MemoryGitLab } from "../../test/support/memory-gitlab.ts";
import { Fault } from "../faults/fault.ts";
import type { Hook } from "../gitlab/gitlab.ts";
import { ensureDeployKey } from "./deploy-key.ts";
import { ensureHook, proveHook, type HookOutcome, type HookWish } from "./hook.ts";
import { newHookSecrets } from "./hook-secrets.ts";

const PUBLIC = "http://127.0.0.1:8080";
const secrets = newHookSecrets();
const wish: HookWish = {
  projectId: 42,
  publicUrl: PUBLIC,
  hookPath: "path-1",
  hookId: null,
  secrets,
  settled: null,
  instance: { baseUrl: "https://git.acme.lan", version: "18.9.0" },
  isForgotten: async (path) => path.startsWith("forgotten"),
  onCreating: async () => {},
  onHealed: async () => {},
};
const OURS = `${PUBLIC}/hooks/gitlab/path-1`;
const urls = (gitlab: MemoryGitLab): string[] => [...gitlab.hooks.values()].map((hook) => hook.url);

test("made where there is none, with address, secret and signing token together", async () => {
  const gitlab = createMemoryGitLab();
  const other = gitlab.addHook("https://ci.acme.lan/x");
  const outcome = await ensureHook(gitlab.client, wish);
  expect(outcome).toEqual({
    state: "active",
    id: expect.any(Number),
    signed: true,
    wasOff: false,
    off: false,
  });
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
    reason: expect.stringContaining("Fairlead looks for new commits by itself"),
  });
  expect(JSON.stringify(outcome)).toContain(fault.evidence.words ?? "");
});

test("no public URL, or a loopback one for a GitLab elsewhere: GitLab is not even asked", async () => {
  const gitlab = createMemoryGitLab({}, "https://git.acme.lan");
  expect(await ensureHook(gitlab.client, { ...wish, publicUrl: null })).toMatchObject({ state: "polling" });
  expect(await ensureHook(gitlab.client, wish)).toMatchObject({ state: "polling" });
  expect(gitlab.calls).toEqual([]);
});

/** A hook that was made, as the next look finds it. */
async function setUpSettled() {
  const gitlab = createMemoryGitLab();
  const healed: string[] = [];
  const made = await ensureHook(gitlab.client, wish);
  if (made.state !== "active") throw new Error(made.reason);
  gitlab.calls.length = 0;
  const look = (over: Partial<HookWish> = {}): Promise<HookOutcome> =>
    ensureHook(gitlab.client, {
      ...wish,
      hookId: made.id,
      settled: { signed: true, badSecrets: 0 },
      onHealed: async (text) => void healed.push(text),
      ...over,
    });
  const edit = (facts: Partial<Hook>): void => {
    const hook = gitlab.hooks.get(made.id);
    if (hook) gitlab.hooks.set(made.id, { ...hook, ...facts });
  };
  return { gitlab, healed, look, edit, id: made.id };
}

test("a settled hook with nothing wrong costs one request and no word", async () => {
  const { gitlab, healed, look, id } = await setUpSettled();
  expect(await look()).toMatchObject({ state: "active", id, signed: true });
  expect(gitlab.calls).toEqual(["listHooks"]);
  expect(healed).toEqual([]);
});

test.each<[string, Partial<Hook>]>([
  ["push events were switched off", { pushEvents: false }],
  ["tag events were switched off", { tagPushEvents: false }],
  ["it was for branches like release/* only", { branchFilter: "release/*" }],
  ["it did not check certificates any more", { verifiesTls: false }],
  ["it had lost its secret", { tokenPresent: false }],
  ["it had lost its signing token", { signingTokenPresent: false }],
  ["it called https://evil.lan instead of http://127.0.0.1:8080", { url: "https://evil.lan/secret-path" }],
  [
    "it called another address at http://127.0.0.1:8080",
    { url: "http://127.0.0.1:8080/hooks/gitlab/stranger" },
  ],
  ["it called no address at all instead of http://127.0.0.1:8080", { url: "{address}" }],
])("an edit is set right and told once: %s", async (words, facts) => {
  const { gitlab, healed, look, edit, id } = await setUpSettled();
  edit(facts);
  expect(await look()).toMatchObject({ state: "active", id });
  expect(healed).toEqual([`The webhook ${id} was not as it was made and is set right: ${words}`]);
  expect(gitlab.calls).toEqual(["listHooks", "updateHook"]);
  expect([...gitlab.hooks.values()]).toEqual([
    expect.objectContaining({ id, url: OURS, pushEvents: true, branchFilter: null, verifiesTls: true }),
  ]);
  await look();
  expect(healed).toHaveLength(1);
});

test("no word of the hook's path is told, nor a password in an address", async () => {
  const { healed, look, edit } = await setUpSettled();
  edit({ url: "https://amy:hunter2@evil.lan/hooks/gitlab/path-1" });
  await look();
  expect(healed.join()).not.toMatch(/hunter2|path-1/);
});

test("calls with a wrong secret: the secret is given again", async () => {
  const { gitlab, healed, look } = await setUpSettled();
  await look({ settled: { signed: true, badSecrets: 3 } });
  expect(gitlab.calls).toEqual(["listHooks", "updateHook"]);
  expect(healed).toEqual([expect.stringContaining("3 calls came with a wrong secret")]);
});

test("deleted: it is noted first that there may be one, then one is made", async () => {
  const { gitlab, healed, look, id } = await setUpSettled();
  gitlab.hooks.clear();
  const noted: string[][] = [];
  const outcome = await look({ onCreating: async () => void noted.push([...gitlab.calls]) });
  expect(outcome).toMatchObject({ state: "active", id: expect.any(Number) });
  expect(noted).toEqual([["listHooks"]]);
  expect(healed).toEqual([
    `The webhook ${id} was gone from GitLab: made again as ${[...gitlab.hooks.keys()].join()}`,
  ]);
});

test("deleted between the look and the update: made, once", async () => {
  const { gitlab, look, edit } = await setUpSettled();
  edit({ pushEvents: false });
  gitlab.fail("updateHook", Fault.of("NOT_FOUND", ""));
  await look();
  expect(gitlab.calls).toEqual(["listHooks", "updateHook", "createHook"]);
});

test.each(unclear)("an update that ended with $message is not answered by making one", async (fault) => {
  const { gitlab, look, edit } = await setUpSettled();
  edit({ pushEvents: false });
  gitlab.fail("updateHook", fault);
  await expect(look()).rejects.toBe(fault);
  expect(gitlab.calls).toEqual(["listHooks", "updateHook"]);
});

test("duplicates are removed and named, also those at an address we had before", async () => {
  const { gitlab, healed, look, id } = await setUpSettled();
  const two = gitlab.addHook(OURS);
  const three = gitlab.addHook("https://old.acme.lan/hooks/gitlab/path-1");
  expect(await look()).toMatchObject({ id });
  expect([...gitlab.hooks.keys()]).toEqual([id]);
  expect(healed).toEqual([`The project had more than one webhook of ours: removed ${two}, ${three}`]);
});

test("an unsigned hook of a GitLab that signs now is made to sign, without a word", async () => {
  const { healed, look, edit } = await setUpSettled();
  edit({ signingTokenPresent: false });
  expect(await look({ settled: { signed: false, badSecrets: 0 } })).toMatchObject({ signed: true });
  expect(healed).toEqual([]);
});

test("a refusal keeps the id of the hook that is there, and forgets one that is gone", async () => {
  const { gitlab, look, edit, id } = await setUpSettled();
  edit({ pushEvents: false });
  gitlab.fail("updateHook", Fault.of("HOOK_URL_REFUSED", ""));
  expect(await look()).toMatchObject({ state: "polling", id });
  gitlab.hooks.clear();
  gitlab.fail("createHook", Fault.of("HOOK_LIMIT_REACHED", ""));
  expect(await look()).toMatchObject({ state: "polling", id: null });
});

test.each([
  ["18.9.0", "Admin, at the top right", "webhooks and integrations"],
  ["14.2.0", "Menu > Admin", "web hooks and services"],
])("GitLab %s refuses the address: the reason names its own menu and box", async (version, menu, box) => {
  const gitlab = createMemoryGitLab();
  gitlab.fail("createHook", Fault.of("HOOK_URL_REFUSED", "", { evidence: { words: "Invalid url given" } }));
  const instance = { baseUrl: "https://git.acme.lan", version };
  const outcome = await ensureHook(gitlab.client, { ...wish, instance });
  const reason = outcome.state === "polling" ? outcome.reason : "";
  expect(reason).toContain("(GitLab says: Invalid url given)");
  expect(reason).toContain("https://git.acme.lan/admin/application_settings/network#js-outbound-settings");
  expect(reason).toContain(menu);
  expect(reason).toContain(`Allow requests to the local network from ${box}`);
});

describe("the proof that GitLab reaches us", () => {
  const hook = { id: 100, off: true };

  test("a call that succeeds, and a GitLab that cannot be asked about a hook that is on", async () => {
    const gitlab = createMemoryGitLab();
    expect(await proveHook(gitlab.client, 42, hook)).toBeNull();
    gitlab.answersTest = false;
    expect(await proveHook(gitlab.client, 42, { ...hook, off: false })).toBeNull();
    expect(await proveHook(gitlab.client, 42, hook)).toMatchObject({ code: "HOOK_DISABLED" });
  });

  test.each(["HOOK_UNREACHABLE", "HOOK_URL_REFUSED", "HOOKS_SILENCED"] as const)("%s", async (code) => {
    const gitlab = createMemoryGitLab();
    const fault = Fault.of(code, "");
    gitlab.fail("testHook", fault);
    expect(await proveHook(gitlab.client, 42, hook)).toBe(fault);
  });

  test("too many tests are no proof of anything", async () => {
    const gitlab = createMemoryGitLab();
    gitlab.fail("testHook", Fault.of("RATE_LIMITED", ""));
    await expect(proveHook(gitlab.client, 42, hook)).rejects.toMatchObject({ code: "RATE_LIMITED" });
  });
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

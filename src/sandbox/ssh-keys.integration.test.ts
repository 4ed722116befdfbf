import { expect, test } from "vitest";
import { openScene } from "./scene.suite.ts";

const KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl ann@laptop";
const FINGERPRINT = "SHA256:";

test("keys of users are added, listed, found by fingerprint and removed", async () => {
  await using scene = await openScene();
  const admin = scene.tokenWith({ user: scene.sandbox.state.root });
  const made = await scene.call("POST", "/user/keys", { title: "laptop", key: KEY });
  expect(made.body).toEqual({
    id: 1,
    title: "laptop",
    created_at: made.body.created_at,
    expires_at: null,
    last_used_at: null,
    key: KEY,
    usage_type: "auth_and_signing",
  });
  expect((await scene.call("GET", "/users/ann/keys", undefined, null)).body).toEqual([made.body]);
  const fingerprint = [...scene.sandbox.rows.sshKeys.values()][0]?.fingerprintSha256 ?? "";
  expect(fingerprint).toContain(FINGERPRINT);
  const found = await scene.call(
    "GET",
    `/keys?fingerprint=${encodeURIComponent(fingerprint)}`,
    undefined,
    admin,
  );
  expect([found.body.id, found.body.user.username]).toEqual([1, "ann"]);
  expect((await scene.call("GET", "/keys/1")).status).toBe(403);
  const twice = await scene.call("POST", "/user/keys", { title: "again", key: KEY });
  expect([twice.status, twice.body]).toEqual([
    400,
    { message: { fingerprint_sha256: ["has already been taken"] } },
  ]);
  const bad = await scene.call("POST", "/user/keys", { title: "", key: "nonsense" });
  expect(bad.body.message).toEqual({
    key: ["is invalid"],
    fingerprint_sha256: ["cannot be generated"],
    title: ["can't be blank"],
  });
  expect((await scene.call("POST", "/users/ann/keys", { title: "x", key: KEY })).status).toBe(403);
  expect((await scene.call("DELETE", "/user/keys/1")).status).toBe(204);
  expect((await scene.call("DELETE", "/user/keys/1")).body).toEqual({ message: "404 Key Not Found" });
});

import * as fc from "fast-check";
import { expect, test } from "vitest";
import { authorizedKey } from "./authorized-keys.ts";
import { parseShellCommand } from "./command.ts";
import { consoleMessage } from "./console.ts";
import { createFrameReader, encodeFrame } from "./frames.ts";
import { parseVersion } from "../versions.ts";

test.each([
  ["", { kind: "welcome" }],
  ["git-upload-pack '/g/p.git'", { kind: "git", service: "git-upload-pack", fullPath: "g/p" }],
  ["git receive-pack g/s/p.git", { kind: "git", service: "git-receive-pack", fullPath: "g/s/p" }],
  [`git-upload-pack "g/with\\"quote"`, { kind: "git", service: "git-upload-pack", fullPath: 'g/with"quote' }],
  ["git-upload-archive 'g/p'", { kind: "git", service: "git-upload-archive", fullPath: "g/p" }],
  ["git-lfs-authenticate g/p.git upload", { kind: "lfs", fullPath: "g/p", service: "git-receive-pack" }],
  ["git-lfs-authenticate g/p.git download", { kind: "lfs", fullPath: "g/p", service: "git-upload-pack" }],
  ["git-upload-pack ''", { kind: "disallowed" }],
  ["git-upload-pack --strict g/p", { kind: "disallowed" }],
  ["git", { kind: "disallowed" }],
  ["constructor g/p", { kind: "disallowed" }],
])("%s", (text, command) => {
  expect(parseShellCommand(text)).toEqual(command);
});

test("whatever a client sends, it is read or disallowed", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary" }), (text) => {
      expect(["welcome", "git", "lfs", "disallowed"]).toContain(parseShellCommand(text).kind);
    }),
  );
});

test("a line of authorized_keys holds one key and one command, whatever the folder is called", () => {
  const line = authorizedKey("ssh-ed25519 AAAA me@host", ["/a b/node", `/it's "here"`, "key-1"]);
  expect(line).toBe(
    `restrict,command="exec '/a b/node' '/it'\\''s \\"here\\"' 'key-1' \\"$GIT_PROTOCOL\\" \\"$SSH_ORIGINAL_COMMAND\\"" ssh-ed25519 AAAA\n`,
  );
});

test("messages of several lines stay in their frame", () => {
  expect(consoleMessage(parseVersion("18.9"), "a\n\nb\n")).toBe(
    `remote: \nremote: ${"=".repeat(72)}\nremote: \nremote: a\nremote: \nremote: b\nremote: \nremote: ${"=".repeat(72)}\nremote: \n`,
  );
  expect(consoleMessage(parseVersion("12.3"), "a")).toBe("GitLab: a\n");
});

test("frames survive every way of being cut", () => {
  const frames = fc.array(
    fc.record({
      channel: fc.constantFrom("stdout" as const, "stderr" as const, "exit" as const),
      payload: fc.uint8Array({ maxLength: 40 }),
    }),
  );
  fc.assert(
    fc.property(frames, fc.integer({ min: 1, max: 9 }), (sent, size) => {
      const bytes = Buffer.concat(sent.map(({ channel, payload }) => encodeFrame(channel, payload)));
      const read = createFrameReader();
      const got = [];
      for (let at = 0; at < bytes.length; at += size) got.push(...read(bytes.subarray(at, at + size)));
      expect(got.map(({ channel, payload }) => [channel, [...payload]])).toEqual(
        sent.map(({ channel, payload }) => [channel, [...payload]]),
      );
    }),
  );
});

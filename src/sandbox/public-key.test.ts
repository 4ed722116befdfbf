import { expect, test } from "vitest";
import { parsePublicKey } from "./public-key.ts";

// The key and its fingerprints as `ssh-keygen -l` prints them.
const KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl";

test("fingerprints are those of ssh-keygen", () => {
  expect(parsePublicKey(`${KEY} someone@somewhere`)?.fingerprintSha256).toBe(
    "SHA256:+DiY3wvvV6TuJJhbpZisF/zLDA0zPMSvHdkr4UvCOqU",
  );
  expect(parsePublicKey(KEY)?.fingerprint).toMatch(/^([0-9a-f]{2}:){15}[0-9a-f]{2}$/);
});

test.each([
  "",
  "ssh-ed25519",
  "ssh-ed25519 AAAA",
  "ssh-rsa AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl",
  `${KEY}\n${KEY}`,
  "-----BEGIN OPENSSH PRIVATE KEY-----",
])("%o is no public key", (words) => {
  expect(parsePublicKey(words)).toBeNull();
});

import { describe, expect, test } from "vitest";
import { RunError } from "../kernel/run.ts";
import { classify, isDamage, isDamagedIndex, isDamagedStore } from "./classify.ts";

const URL_403 =
  "fatal: unable to access 'https://git.example.com/g/p.git/': The requested URL returned error: 403";

/** What git prints, as recorded; GitLab's texts per version are in the reference to its behaviour, §10. */
const PRINTED: [words: string, code: string, reason: string][] = [
  [
    "remote: HTTP Basic: Access denied\nfatal: Authentication failed for 'https://git.example.com/g/p.git/'",
    "GIT_AUTH_FAILED",
    "",
  ],
  [
    "remote: HTTP Basic: Access denied. The provided password or token is incorrect or your account has 2FA enabled and you must use a personal access token instead of a password. See https://git.example.com/help/topics/git/troubleshooting_git#error-on-git-fetch-http-basic-access-denied\nfatal: Authentication failed for 'https://git.example.com/g/p.git/'",
    "GIT_AUTH_FAILED",
    "",
  ],
  [
    "remote: HTTP Basic: Access denied. If a password was provided for Git authentication, the password was incorrect or you're required to use a token instead of a password. If a token was provided, it was either incorrect, expired, or improperly scoped.\nfatal: Authentication failed for 'x'",
    "GIT_AUTH_FAILED",
    "",
  ],
  [
    "fatal: could not read Username for 'https://git.example.com': terminal prompts disabled",
    "GIT_AUTH_FAILED",
    "",
  ],
  [`remote: You are not allowed to download code.\n${URL_403}`, "GIT_SCOPE_MISSING", ""],
  [`remote: You are not allowed to download code from this project.\n${URL_403}`, "GIT_ROLE_MISSING", ""],
  [`remote: Git access over HTTP is not allowed\n${URL_403}`, "GIT_PROTOCOL_DISABLED", ""],
  [`remote: Pulling over HTTP is not allowed.\n${URL_403}`, "GIT_PROTOCOL_DISABLED", ""],
  [
    `remote: You (@ada) must accept the Terms of Service in order to perform this action.\n${URL_403}`,
    "ACCOUNT_UNUSABLE",
    "terms",
  ],
  [
    `remote: Your account has been deactivated by your administrator.\n${URL_403}`,
    "ACCOUNT_UNUSABLE",
    "deactivated",
  ],
  [`remote: Your account has been blocked.\n${URL_403}`, "ACCOUNT_UNUSABLE", "blocked"],
  [
    "remote: The project you were looking for could not be found or you don't have permission to view it.\nfatal: repository 'https://git.example.com/g/p.git/' not found",
    "GIT_NOT_FOUND",
    "",
  ],
  [
    "remote: A repository for this project does not exist yet.\nfatal: repository 'x' not found",
    "GIT_NOT_FOUND",
    "",
  ],
  ["fatal: https://git.example.com/x/info/refs not valid: is this a git repository?", "GIT_NOT_FOUND", ""],
  [
    "fatal: remote error: upload-pack: not our ref 1111111111111111111111111111111111111111",
    "GIT_FAILED",
    "commit_missing",
  ],
  ["error: Server does not allow request for unadvertised object 1111", "GIT_FAILED", "commit_missing"],
  ["fatal: couldn't find remote ref 1111", "GIT_FAILED", "commit_missing"],
  ["fatal: unable to access 'http://x/': The requested URL returned error: 302", "REDIRECTED", "other_host"],
  ["fatal: unable to access 'http://x/': The requested URL returned error: 429", "RATE_LIMITED", ""],
  [
    "fatal: unable to access 'http://x/': The requested URL returned error: 502",
    "GITLAB_UNAVAILABLE",
    "bad_gateway",
  ],
  [
    "remote: The git server, Gitaly, is not available at this time.\nfatal: unable to access 'x': The requested URL returned error: 503",
    "GITLAB_UNAVAILABLE",
    "error",
  ],
  [
    "fatal: unable to access 'x': SSL certificate problem: self-signed certificate",
    "TLS_UNTRUSTED",
    "self_signed",
  ],
  [
    "fatal: unable to access 'x': SSL certificate problem: self signed certificate in certificate chain",
    "TLS_UNTRUSTED",
    "unknown_ca",
  ],
  [
    "fatal: unable to access 'x': SSL certificate problem: unable to get local issuer certificate",
    "TLS_UNTRUSTED",
    "unknown_ca",
  ],
  [
    "fatal: unable to access 'x': SSL certificate problem: certificate has expired",
    "TLS_UNTRUSTED",
    "expired",
  ],
  [
    "fatal: unable to access 'x': server certificate verification failed. CAfile: none CRLfile: none",
    "TLS_UNTRUSTED",
    "unknown_ca",
  ],
  [
    "fatal: unable to access 'x': SSL: no alternative certificate subject name matches target host name 'x'",
    "TLS_UNTRUSTED",
    "name_mismatch",
  ],
  [
    "fatal: unable to access 'x': SSL: certificate subject name (a) does not match target host name 'b'",
    "TLS_UNTRUSTED",
    "name_mismatch",
  ],
  ["fatal: unable to access 'x': Could not resolve host: git.example.com", "UNREACHABLE", "dns"],
  [
    "fatal: unable to access 'x': Failed to connect to git.example.com port 443 after 0 ms: Couldn't connect to server",
    "UNREACHABLE",
    "refused",
  ],
  [
    "fatal: unable to access 'x': Failed to connect to git.example.com port 443: Connection timed out",
    "UNREACHABLE",
    "timeout",
  ],
  [
    "fatal: unable to access 'x': Operation too slow. Less than 1 bytes/sec transferred the last 60 seconds",
    "UNREACHABLE",
    "timeout",
  ],
  [
    "error: RPC failed; curl 56 Recv failure: Connection reset by peer\nfatal: early EOF",
    "UNREACHABLE",
    "reset",
  ],
  [
    "error: RPC failed; curl 18 transfer closed with outstanding read data remaining\nfatal: early EOF\nfatal: fetch-pack: invalid index-pack output",
    "UNREACHABLE",
    "reset",
  ],
  ["fatal: the remote end hung up unexpectedly", "UNREACHABLE", "reset"],
  ["git: 'remote-https' is not a git command. See 'git --help'.", "RUNTIME_UNAVAILABLE", ""],
  [
    "fatal: write error: No space left on device\nfatal: fetch-pack: invalid index-pack output",
    "GIT_FAILED",
    "",
  ],
  [`remote: something nobody has seen yet\n${URL_403}`, "GIT_FAILED", ""],
];

const failed = (stderr: string): RunError => new RunError("exit", "git", { exitCode: 128, stderr });

test.each(PRINTED)("%s", (words, code, reason) => {
  const fault = classify(failed(words), words, "git.example.com", undefined);
  expect({ code: fault.code, reason: fault.reason }).toEqual({ code, reason });
  expect(fault.evidence.host).toBe("git.example.com");
  expect(words).toContain(String(fault.evidence.words).split("\n").at(-1));
});

test("only what may pass by itself is worth another try", () => {
  const retryable = (words: string): boolean => classify(failed(words), words, "h", undefined).retryable;
  expect(retryable("fatal: the remote end hung up unexpectedly")).toBe(true);
  expect(retryable("The requested URL returned error: 503")).toBe(true);
  expect(retryable("HTTP Basic: Access denied")).toBe(false);
  expect(retryable("not our ref 1")).toBe(false);
});

test("an abort is somebody's wish, a deadline is a timeout", () => {
  const aborted = new RunError("aborted", "git");
  expect(classify(aborted, "", "h", new Error("superseded")).code).toBe("CANCELLED");
  const late = classify(aborted, "", "h", new DOMException("late", "TimeoutError"));
  expect(late.is("GIT_FAILED", "timeout")).toBe(true);
});

test("evidence is short, and without git's hints", () => {
  const words = `${"x".repeat(9000)}\nhint: do this\nfatal: end`;
  const shown = String(classify(failed(words), words, "h", undefined).evidence.words);
  expect(shown.length).toBeLessThanOrEqual(2048);
  expect(shown).not.toContain("hint");
  expect(shown.endsWith("fatal: end")).toBe(true);
});

describe("damage", () => {
  test.each([
    "error: packfile /d/objects/pack/pack-1.pack does not match index",
    "error: file /d/objects/pack/pack-1.pack is far too short to be a packfile",
    "fatal: loose object 1 (stored in /d/objects/1) is corrupt",
    "fatal: error in object: unshallow 1",
    "fatal: not a git repository: '/d'",
    "error: /d did not send all necessary objects",
  ])("of the mirror: %s", (words) => {
    expect(isDamagedStore(words)).toBe(true);
    expect(isDamagedIndex(words)).toBe(false);
  });

  test.each([
    "fatal: index file corrupt",
    "error: bad signature 0x6e6f6e73",
    "fatal: index file smaller than expected",
  ])("of the index: %s", (words) => expect(isDamagedIndex(words)).toBe(true));

  test("not the network, the disk's size, our rights, a refused name or a kill", () => {
    for (const [words] of PRINTED.filter(([words]) => !words.includes("index-pack output"))) {
      expect(isDamagedStore(words)).toBe(false);
    }
    const reasons = ["No space left on device", "Permission denied", "error: invalid path '.git/config'"];
    for (const words of reasons) expect(isDamage(failed(words))).toBe(false);
    expect(isDamage(failed("fatal: unable to read tree"))).toBe(true);
    expect(isDamage(new RunError("signal", "git", { signal: "SIGKILL" }))).toBe(false);
  });
});

import { expect, it } from "vitest";
import type { SandboxSpec } from "./sandbox-spec.ts";
import { isInside } from "./sandbox-spec.ts";
import { sandboxUids, uidOf } from "./sandbox-user.ts";
import { wrapInBwrap } from "./wrap-bwrap.ts";
import { wrapPlain } from "./wrap-plain.ts";
import { escapeField, mountTable, wrapInUnshare } from "./wrap-unshare.ts";

const tools = {
  sh: "/bin/sh",
  setpriv: "/usr/bin/setpriv",
  unshare: "/usr/bin/unshare",
  setsid: "/usr/bin/setsid",
  prlimit: "/usr/bin/prlimit",
  bwrap: "/usr/bin/bwrap",
};
const spec: SandboxSpec = {
  mounts: [
    { from: "", at: "/tmp", kind: "memory", writable: true },
    { from: "/usr", at: "/usr", kind: "folder", writable: false },
    { from: "/data/a b", at: "/app", kind: "folder", writable: true },
    { from: "/data/passwd", at: "/etc/passwd", kind: "file", writable: false },
  ],
  links: [{ at: "/bin", target: "usr/bin" }],
  directory: "/app",
  argv: ["node", "--x; rm -rf /", "$(id)"],
  user: { uid: 1_900_000_001, gid: 1_900_000_002 },
  limits: { files: 1024, tasks: 64 },
};
const DROP = [
  "/usr/bin/setpriv",
  "--reuid=1900000001",
  "--regid=1900000002",
  "--clear-groups",
  "--no-new-privs",
  "--inh-caps=-all",
  "--bounding-set=-all",
  "--",
];
const LIMITS = ["/usr/bin/setsid", "/usr/bin/prlimit", "--core=0", "--nofile=1024", "--nproc=64", "--"];
const PROGRAM = ["fairlead-program", "/app", "node", "--x; rm -rf /", "$(id)"];
/** Words without the constant texts, which are tested by running them. */
const words = (args: readonly string[]): string[] => args.filter((word) => !word.includes("\n"));

it("unshare as root: namespaces, then another user", () => {
  const { file, args } = wrapInUnshare(tools, spec, { root: true, emptyFolder: "/e", table: "/t" });
  expect(file).toBe("/usr/bin/setpriv");
  expect(words(args)).toEqual([
    "--pdeathsig=KILL",
    "--",
    "/usr/bin/unshare",
    "--mount",
    "--pid",
    "--ipc",
    "--fork",
    "--kill-child=KILL",
    "--",
    "/bin/sh",
    "-c",
    "fairlead-mount",
    "/e",
    "/t",
    "/bin/sh",
    "-c",
    "fairlead-init",
    "contained",
    ...LIMITS,
    ...DROP,
    "/bin/sh",
    "-c",
    ...PROGRAM,
  ]);
});

it("unshare as a user: root of a namespace for the mounts only, then oneself again", () => {
  const { args } = wrapInUnshare(tools, spec, { root: false, emptyFolder: "/e", table: "/t" });
  expect(words(args).slice(2, 6)).toEqual(["/usr/bin/unshare", "--user", "--map-root-user", "--mount"]);
  expect(words(args).slice(-15, -7)).toEqual([
    "/usr/bin/unshare",
    "--user",
    "--map-user=1900000001",
    "--map-group=1900000002",
    "--",
    "/usr/bin/setpriv",
    "--no-new-privs",
    "--",
  ]);
});

it("the mount table shows folders where they belong, read-only unless said otherwise", () => {
  const lines = mountTable(spec, "/e").split("\n");
  expect(lines.slice(0, 5)).toEqual([
    "memory /e/tmp tmpfs mode=1777,size=1g,nosuid,nodev 0 0",
    "/usr /e/usr none rbind,ro,nosuid,nodev,X-mount.mkdir 0 0",
    "/data/a\\040b /e/app none rbind,X-mount.mkdir 0 0",
    "/data/passwd /e/etc/passwd none bind,ro,nosuid,nodev 0 0",
    "proc /e/proc proc nosuid,nodev,noexec 0 0",
  ]);
  expect(escapeField("/a\tb\nc\\d#e")).toBe("/a\\011b\\012c\\134d\\043e");
});

it("bwrap: nothing of the words is interpreted, the root is read-only, rights only as root and only to drop them", () => {
  const user = words(wrapInBwrap(tools, spec, { root: false }).args);
  expect(user.slice(0, 8)).toEqual([
    "--unshare-user",
    "--uid",
    "1900000001",
    "--gid",
    "1900000002",
    "--unshare-pid",
    "--unshare-ipc",
    "--die-with-parent",
  ]);
  const text = user.join(" ");
  expect(text).toContain("--ro-bind /usr /usr");
  expect(text).toContain("--bind /data/a b /app");
  expect(text).toContain("--perms 1777 --tmpfs /tmp");
  expect(text).toContain("--remount-ro /");
  expect(text).not.toContain("--cap-add");
  const root = words(wrapInBwrap(tools, spec, { root: true }).args);
  expect(root.slice(-PROGRAM.length - 2 - DROP.length)).toEqual([...DROP, "/bin/sh", "-c", ...PROGRAM]);
});

it("without namespaces: another user, or nothing", () => {
  const second = wrapPlain(tools, spec, { secondUser: true });
  expect([second.file, ...words(second.args)]).toEqual([
    "/bin/sh",
    "-c",
    "fairlead-init",
    "loose",
    ...LIMITS,
    ...DROP,
    "/bin/sh",
    "-c",
    ...PROGRAM,
  ]);
  expect(words(wrapPlain(tools, spec, { secondUser: false }).args)).not.toContain("/usr/bin/setpriv");
});

it("users are where no account is, the same after every restart", () => {
  const whole = sandboxUids("         0          0 4294967295\n");
  expect(whole.first).toBeGreaterThan(1_879_048_191);
  expect(whole.first + whole.size).toBeLessThan(2 ** 31);
  expect(uidOf("env_a", whole)).toBe(uidOf("env_a", whole));
  expect(uidOf("env_a", whole)).not.toBe(uidOf("env_b", whole));
  const container = sandboxUids("         0     100000      65536\n");
  expect(container.first + container.size).toBeLessThan(65_534);
  expect(sandboxUids("         0       1000          1\n").size).toBe(1);
});

it("isInside knows a folder from its neighbour of a longer name", () => {
  expect(isInside("/a/b", "/a/b")).toBe(true);
  expect(isInside("/a/b/c", "/a/b")).toBe(true);
  expect(isInside("/a/bc", "/a/b")).toBe(false);
  expect(isInside("/a", "/")).toBe(true);
});

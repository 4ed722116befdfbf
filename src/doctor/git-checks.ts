import { cloneUrl } from "../gitlab/clone-url.ts";
import { run } from "../kernel/run.ts";
import { findGitTools } from "../source/git.ts";
import { wayTo } from "../gitlab/network.ts";
import { listHeads } from "../source/list-heads.ts";
import { parseSshAddress, readHostKeys } from "../source/ssh-host.ts";
import { Fault } from "../faults/fault.ts";
import { need, type CheckDefinition, type Outcome, type ProjectVisit, type Visit } from "./visit.ts";

export const BINARY_CHECK: CheckDefinition = { id: "git.binary", about: "The git program", run: checkBinary };

export const READ_CHECK: CheckDefinition<ProjectVisit> = {
  id: "git.read",
  about: "Reading the code",
  run: checkRead,
};

export const SSH_CHECK: CheckDefinition<ProjectVisit> = {
  id: "git.ssh",
  about: "git over SSH",
  run: checkSsh,
};

/** First releases without CVE-2025-48384 (a submodule's path may run a program at a recursive clone), by their line. */
const MENDED: readonly (readonly [minor: number, patch: number])[] = [
  [43, 7],
  [44, 4],
  [45, 4],
  [46, 4],
  [47, 3],
  [48, 2],
  [49, 1],
  [50, 1],
];

/** Whether this version, as its authors released it, has the fault. */
export function hasCve202548384(version: string): boolean {
  const [major = 0, minor = 0, patch = 0] = version.split(".").map((part) => Number.parseInt(part, 10) || 0);
  if (major !== 2) return major < 2;
  if (minor > 50) return false;
  const line = MENDED.find(([mended]) => mended === minor);
  return line === undefined || patch < line[1];
}

async function checkBinary(visit: Visit, signal: AbortSignal): Promise<Outcome> {
  const { searchPath } = visit.wishes;
  const [tools, lfs] = await Promise.all([findGitTools("git", searchPath), readLfs(searchPath, signal)]);
  visit.learnt.git = tools;
  const title = `git ${tools.version}`;
  const evidence = lfs === null ? "git-lfs is not installed: only repositories with LFS need it" : lfs;
  if (!hasCve202548384(tools.version)) return { state: "ok", title, evidence, source: "local" };
  return {
    state: "warn",
    title: `${title} may have the fault CVE-2025-48384`,
    evidence: `${evidence}; distributions mend it without raising the number; Fairlead fetches no submodules and runs no git hooks, which the fault needs`,
    source: "local",
    fix: "Upgrade git to 2.50.1 or later, or look whether your distribution has mended it: https://security-tracker.debian.org/tracker/CVE-2025-48384.",
  };
}

async function readLfs(searchPath: string, signal: AbortSignal): Promise<string | null> {
  try {
    const { stdout } = await run("git-lfs", ["version"], {
      env: { PATH: searchPath },
      timeoutMs: 5000,
      signal,
    });
    return stdout.split(" ")[0]?.replace("/", " ") ?? null;
  } catch {
    return null; // the answer: this machine has it not
  }
}

/** By the way of every deployment: same program, same settings, same way for the token. */
async function checkRead(visit: ProjectVisit, signal: AbortSignal): Promise<Outcome> {
  const project = need(visit.here.project, "a project");
  const tools = visit.learnt.git;
  if (tools === null) return { state: "skip", title: "Reading the code: not reached" };
  const url = cloneUrl(project, need(visit.learnt.gitlab, "a GitLab").baseUrl);
  const remote = { url, token: visit.token, ca: visit.network.ca, way: wayTo(url, visit.network) };
  const heads = await listHeads(tools, remote, { timeoutMs: 10_000, signal });
  const title = `git reads ${project.path}`;
  const elsewhere = url === project.httpUrl ? "" : `, from ${url} instead of ${project.httpUrl}`;
  return { state: "ok", title, evidence: `${heads.size} branches${elsewhere}` };
}

/** Code is fetched over HTTPS; SSH matters to people, and to submodules. */
async function checkSsh(visit: ProjectVisit, signal: AbortSignal): Promise<Outcome> {
  const wish = visit.wishes.ssh;
  if (wish === null) return { state: "skip", title: "git over SSH: not needed, code is fetched over HTTPS" };
  const project = need(visit.here.project, "a project");
  const address = parseSshAddress(project.sshUrl);
  if (address === null) return { state: "unknown", title: "GitLab names no address for git over SSH" };
  const place = `${address.host}:${address.port}`;
  const keys = await readHostKeys(address, visit.wishes.searchPath, signal);
  const shown = keys.map(({ type, fingerprint }) => `${type} ${fingerprint}`).join(", ");
  if (wish.fingerprint !== null && !keys.some(({ fingerprint }) => fingerprint === wish.fingerprint)) {
    throw Fault.of("GIT_HOST_KEY_CHANGED", "", {
      evidence: { host: place, expected: wish.fingerprint, seen: shown },
    });
  }
  return {
    state: "ok",
    title:
      wish.fingerprint === null ? `SSH answers at ${place}` : `SSH at ${place} has the expected host key`,
    evidence: shown,
  };
}

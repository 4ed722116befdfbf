import { run, type RunOptions } from "../../kernel/run.ts";
import { Secret } from "../../kernel/secret.ts";
import type { Project } from "../state.ts";
import type { Repositories } from "./repositories.ts";

/** A repository somewhere else. */
export interface Remote {
  /** Without credentials. */
  readonly url: string;
  /** What git's credential protocol takes: lines of `username=` and `password=`. */
  readonly credential: Secret | null;
}

const TRY_MS = 10_000;
const FETCH_MS = 10 * 60_000;

/** Hands the credential over from descriptor 3, so that it is in no argument and no environment. */
const HELPER = '!f() { test "$1" = get && cat <&3; }; f';

const SETTINGS = ["credential.helper=", `credential.helper=${HELPER}`, "http.followRedirects=false"].flatMap(
  (setting) => ["-c", setting],
);

export const ALL_REFS = ["+refs/heads/*:refs/heads/*", "+refs/tags/*:refs/tags/*"];

/** Takes the credentials out of a URL. */
export function remoteOf(url: string): Remote {
  const parsed = new URL(url);
  const [username, password] = [decode(parsed.username), decode(parsed.password)];
  parsed.username = "";
  parsed.password = "";
  const plain = !/[\r\n\0]/.test(username + password);
  const credential =
    plain && username + password !== "" ? `username=${username}\npassword=${password}\n` : null;
  return { url: parsed.href, credential: credential === null ? null : new Secret(credential) };
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** The remote's default branch, null when it has none. Throws `RunError` for what cannot be read. */
export async function readHead(
  repositories: Repositories,
  remote: Remote,
  signal: AbortSignal,
): Promise<string | null> {
  const words = [...SETTINGS, "ls-remote", "--symref", "--", remote.url, "HEAD"];
  const { stdout } = await run("git", words, { ...optionsOf(repositories, remote, TRY_MS), signal });
  return /^ref: refs\/heads\/(\S+)\tHEAD$/m.exec(stdout)?.[1] ?? null;
}

/** Brings all branches and tags of a remote into a project's repository. Throws `RunError`. */
export async function fetchRemote(
  repositories: Repositories,
  project: Project,
  remote: Remote,
  signal: AbortSignal,
): Promise<void> {
  const words = [...SETTINGS, "fetch", "--quiet", "--no-write-fetch-head", "--", remote.url, ...ALL_REFS];
  const cwd = await repositories.ensure(project);
  await run("git", words, { ...optionsOf(repositories, remote, FETCH_MS), cwd, signal });
}

function optionsOf(repositories: Repositories, remote: Remote, timeoutMs: number): RunOptions {
  const env = { ...repositories.environment, GIT_ALLOW_PROTOCOL: "http:https:git", HOME: "/dev/null" };
  return { env, timeoutMs, ...(remote.credential === null ? {} : { fd3: remote.credential }) };
}

/** The rules of the old default branch go on with the new one. */
export async function setDefaultBranch(
  repositories: Repositories,
  project: Project,
  branch: string,
): Promise<void> {
  const rules = project.protectedBranches.get(project.defaultBranch);
  project.protectedBranches.delete(project.defaultBranch);
  if (rules) project.protectedBranches.set(branch, rules);
  project.defaultBranch = branch;
  await repositories.git(project, ["symbolic-ref", "HEAD", `refs/heads/${branch}`]);
}

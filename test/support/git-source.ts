import { createHash } from "node:crypto";
import { lstatSync, readFileSync, readlinkSync, type Stats } from "node:fs";
import { mkdir, mkdtempDisposable } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { Secret } from "../../src/kernel/secret.ts";
import { openSource, type SourceOptions } from "../../src/source/open.ts";
import type { CheckedOut, CheckoutRequest, Remote, Source } from "../../src/source/source.ts";
import { createRepository, type GitFixture } from "./git-repository.ts";
import { startGitServer, type GitServer } from "./git-server.ts";

export const TEST_TOKEN = "glpat-T0k~en?>x+Y'7$k_0123";

/** A repository behind a server, a Source, and a workspace, in a folder that is removed. */
export interface SourceFixture {
  readonly folder: string;
  readonly dataDir: string;
  readonly workspace: string;
  readonly repository: GitFixture;
  readonly server: GitServer;
  readonly source: Source;
  readonly remote: Remote;
  readonly lines: string[];
  /** Each call is a deployment of its own unless the request says otherwise. */
  checkOut(commit: string, request?: Partial<CheckoutRequest>): Promise<CheckedOut>;
  [Symbol.asyncDispose](): Promise<void>;
}

export async function createSourceFixture(options: Partial<SourceOptions> = {}): Promise<SourceFixture> {
  const stack = new AsyncDisposableStack();
  const { path: folder } = stack.use(await mkdtempDisposable(join(tmpdir(), "fairlead-source-")));
  const root = join(folder, "repositories");
  await mkdir(root);
  const repository = await createRepository(root, "group/project.git");
  const server = stack.use(await startGitServer({ root, token: TEST_TOKEN }));
  const dataDir = join(folder, "data");
  const workspace = join(folder, "workspace");
  const source = await openSource({ dataDir, ...options });
  const url = `${server.origin}/group/project.git`;
  const remote: Remote = { key: "con_test/42", url, token: new Secret(TEST_TOKEN) };
  const lines: string[] = [];
  let number = 0;
  return {
    folder,
    dataDir,
    workspace,
    repository,
    server,
    source,
    remote,
    lines,
    checkOut: (commit, request) =>
      source.checkOut({
        remote,
        commit,
        workspace,
        fence: { deploymentId: `dep_${String(++number).padStart(6, "0")}`, attempt: 1 },
        signal: AbortSignal.timeout(30_000),
        onLine: (line) => lines.push(line),
        ...request,
      }),
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}

/** What differs between the tree in a folder and a commit, found without git's index and without the code under test. */
export function treeDifferences(repository: GitFixture, commit: string, workspace: string): string[] {
  const listing = repository.git(["ls-tree", "-r", "-z", "--full-tree", commit]);
  return listing.split("\0").flatMap((line) => {
    const [, mode = "", type = "", id = "", name = ""] = /^(\d+) (\w+) (\w+)\t(.*)$/s.exec(line) ?? [];
    if (name === "") return [];
    const wrong = differenceOf(workspace, name, mode, type, id);
    return wrong === null ? [] : [`${name}: ${wrong}`];
  });
}

function differenceOf(root: string, name: string, mode: string, type: string, id: string): string | null {
  for (let parent = dirname(name); parent !== "."; parent = dirname(parent)) {
    const stats = lstatSync(join(root, parent), { throwIfNoEntry: false });
    if (!stats?.isDirectory()) return `${parent} is no folder`;
  }
  const path = join(root, name);
  const stats = lstatSync(path, { throwIfNoEntry: false });
  if (!stats) return "is missing";
  if (type === "commit") return stats.isDirectory() ? null : "is no folder";
  return mode === "120000" ? linkDifference(path, stats, id) : fileDifference(path, stats, mode, id);
}

function linkDifference(path: string, stats: Stats, id: string): string | null {
  return stats.isSymbolicLink() && blobId(readlinkSync(path, "buffer"), id) === id ? null : "is another link";
}

function fileDifference(path: string, stats: Stats, mode: string, id: string): string | null {
  if (!stats.isFile()) return "is no file";
  if ((stats.mode & 0o100) !== (mode === "100755" ? 0o100 : 0)) return "has another mode";
  return blobId(readFileSync(path), id) === id ? null : "has other content";
}

function blobId(content: Buffer, like: string): string {
  const hash = createHash(like.length === 64 ? "sha256" : "sha1");
  return hash.update(`blob ${content.length}\0`).update(content).digest("hex");
}

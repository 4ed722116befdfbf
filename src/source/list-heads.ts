import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { redactor } from "../kernel/redact.ts";
import { explain } from "./explain.ts";
import { createGit, type GitTools } from "./git.ts";
import { checkRemote } from "./remote.ts";
import type { Remote } from "./source.ts";
import { secretsOfRemote } from "./way-settings.ts";

/**
 * The branches of a repository, by `git ls-remote`, with the same settings and by the same way for the credential as every fetch. Nothing
 * is stored. Throws what a fetch would throw.
 */
export async function listHeads(
  tools: GitTools,
  remote: Omit<Remote, "key">,
  options: { readonly timeoutMs: number; readonly signal: AbortSignal },
): Promise<ReadonlyMap<string, string>> {
  const caFolder = await mkdtemp(join(tmpdir(), "fairlead-ls-"));
  try {
    const checked = await checkRemote({ key: "", ...remote }, caFolder);
    try {
      const { stdout } = await createGit(tools)({
        args: ["ls-remote", "--heads", "--end-of-options", checked.url.href],
        settings: checked.settings,
        env: checked.env,
        credential: checked.credential,
        files: checked.files,
        ...options,
        maxOutputBytes: 16 * 1024 * 1024,
      });
      return parseHeads(stdout);
    } catch (error) {
      throw await explain(error, checked, redactor(secretsOfRemote(remote)), options.signal);
    }
  } finally {
    await rm(caFolder, { recursive: true, force: true });
  }
}

function parseHeads(output: string): ReadonlyMap<string, string> {
  const lines = output.split("\n").flatMap((line): [string, string][] => {
    const [, sha, name] = /^([0-9a-f]{40,64})\trefs\/heads\/(.+)$/.exec(line) ?? [];
    return sha === undefined || name === undefined ? [] : [[name, sha]];
  });
  return new Map(lines);
}

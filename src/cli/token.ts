import { readFile } from "node:fs/promises";
import { isCancel, password } from "@clack/prompts";
import { Secret } from "../kernel/secret.ts";
import { Interrupted, UsageError } from "./failure.ts";
import type { Terminal } from "./terminal.ts";

const MAX_BYTES = 64 * 1024;
const WAYS =
  "Give it at the prompt, with --token-file FILE (- is standard input), or in FAIRLEAD_GITLAB_TOKEN";

/** GitLab's own prefixes and ours, wherever they stand in a word: also in `https://oauth2:glpat-…@host`. */
const TOKEN = /(gl(pat|dt|rt|ft|soat|ptt|cbt|oas|imt|agent)|flt)[-_][\w.-]{10,}/;

/** Throws when an argument is or holds a token: the list of processes and the shell's history show it to others. Never repeats it. */
export function refuseTokenArguments(argv: readonly string[]): void {
  const given = argv.some(
    (word) => TOKEN.test(word) || /^--(private-|gitlab-|api-)?token(=|$)/.test(word) || hasCredentials(word),
  );
  if (!given) return;
  throw new UsageError(
    `A token must not be an argument: other users of this machine can see it, and your shell keeps it.\n${WAYS}.\nIf it was a real one, revoke it.`,
  );
}

function hasCredentials(word: string): boolean {
  if (!/^https?:/i.test(word) || !URL.canParse(word)) return false;
  const { username, password: secret } = new URL(word);
  return username !== "" || secret !== "";
}

export interface TokenSources {
  readonly tokenFile: string | undefined;
  readonly fromEnvironment: Secret | null;
  readonly question: string;
}

/** `--token-file`, then the environment, then the prompt or what is piped in. */
export async function readToken(
  terminal: Terminal,
  sources: TokenSources,
  signal: AbortSignal,
): Promise<Secret> {
  if (sources.tokenFile !== undefined && sources.tokenFile !== "-")
    return toToken(await readTokenFile(sources.tokenFile));
  if (sources.tokenFile === undefined && sources.fromEnvironment !== null) return sources.fromEnvironment;
  if (willAsk(terminal, sources)) return askToken(terminal, sources.question, signal);
  return toToken(await readAll(terminal));
}

/** Whether a person will be asked: nobody gave a token, and somebody sits at a terminal. */
export function willAsk(
  { stdin }: Pick<Terminal, "stdin">,
  sources: Pick<TokenSources, "tokenFile" | "fromEnvironment">,
): boolean {
  return stdin.isTTY === true && sources.tokenFile === undefined && sources.fromEnvironment === null;
}

async function askToken(terminal: Terminal, message: string, signal: AbortSignal): Promise<Secret> {
  const answer = await password({ message, input: terminal.stdin, output: terminal.stderr, signal });
  if (isCancel(answer)) throw new Interrupted("No token was given.");
  return toToken(answer);
}

async function readTokenFile(path: string): Promise<string> {
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    throw new UsageError(`The token file ${path} cannot be read.`, { cause: error });
  }
}

async function readAll(terminal: Terminal): Promise<string> {
  const parts: Buffer[] = [];
  let size = 0;
  for await (const part of terminal.stdin) {
    const bytes = Buffer.from(part);
    size += bytes.length;
    if (size > MAX_BYTES) throw new UsageError("What came on standard input is too long to be a token.");
    parts.push(bytes);
  }
  return Buffer.concat(parts).toString("utf8");
}

function toToken(text: string): Secret {
  const token = text.trim();
  if (token === "") throw new UsageError(`There is no token. ${WAYS}.`);
  if (/\s/.test(token)) throw new UsageError("A token is one word: there is more in what was given.");
  return new Secret(token);
}

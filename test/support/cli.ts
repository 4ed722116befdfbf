import { PassThrough, Writable } from "node:stream";
import { runCli, type CliParts } from "../../src/cli/run-cli.ts";
import { readConfig } from "../../src/config.ts";
import { API_TOKEN } from "./http-server.ts";

export interface CliRun {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

export interface CliOptions extends Partial<CliParts> {
  readonly env?: Record<string, string>;
  /** What is piped in; without it standard input is empty. */
  readonly input?: string;
  readonly onOutput?: (text: string) => void;
}

/** Runs one command as `main.ts` would, against the server at `url`, and gives what it wrote. */
export async function runFairlead(url: string, words: string, options: CliOptions = {}): Promise<CliRun> {
  const written = { out: "", err: "" };
  const sink = (name: "out" | "err"): Writable =>
    new Writable({
      write: (part: Buffer, _encoding, done) => {
        written[name] += part.toString();
        options.onOutput?.(part.toString());
        done();
      },
    });
  const stdin = new PassThrough();
  stdin.end(options.input ?? "");
  const env = {
    FAIRLEAD_URL: url,
    FAIRLEAD_API_TOKEN: API_TOKEN,
    FAIRLEAD_DATA_DIR: "/nowhere",
    ...options.env,
  };
  const unexpected = (): Promise<never> => Promise.reject(new Error("unexpected call"));
  const code = await runCli({
    argv: words.split(" ").filter((word) => word !== ""),
    version: "0.0.0",
    config: (overrides) => readConfig(env, overrides),
    checkConnection: unexpected,
    local: {
      serve: unexpected,
      demo: unexpected,
      sandbox: unexpected,
      sandboxHelp: () => "",
      backup: unexpected,
      restore: unexpected,
      rekey: unexpected,
    },
    signal: new AbortController().signal,
    stdin,
    stdout: sink("out"),
    stderr: sink("err"),
    ...options,
  });
  return { code, ...written };
}

import type { SandboxWishes } from "../cli/sandbox-command.ts";
import { runSandbox } from "../sandbox/command.ts";
import { explainListening } from "./explain-listening.ts";

/** `fairlead sandbox`: until Ctrl-C. Throws a `RangeError` for what cannot be: a version that GitLab never had, a wrong scenario. */
export async function sandbox(
  options: SandboxWishes,
  output: NodeJS.WritableStream,
  signal: AbortSignal,
): Promise<number> {
  try {
    await runSandbox(options, (line) => output.write(`${line}\n`), signal);
    return 0;
  } catch (error) {
    throw explainListening(error, `${options.host ?? "127.0.0.1"}:${options.port ?? 0}`);
  }
}

import { runSandbox } from "../sandbox/command.ts";
import { explainListening } from "./explain-listening.ts";

/** `fairlead sandbox`: until Ctrl-C. Throws a `RangeError` for a version that GitLab never had. */
export async function sandbox(
  options: {
    readonly port: number | undefined;
    readonly version: string | undefined;
    readonly json: boolean;
  },
  output: NodeJS.WritableStream,
  signal: AbortSignal,
): Promise<number> {
  try {
    await runSandbox(options, (line) => output.write(`${line}\n`), signal);
    return 0;
  } catch (error) {
    throw explainListening(error, `127.0.0.1:${options.port ?? 0}`);
  }
}

import { runSandbox } from "../sandbox/command.ts";

/** `fairlead sandbox`: until Ctrl-C. */
export async function sandbox(
  options: { readonly port: number | undefined; readonly version: string | undefined },
  output: NodeJS.WriteStream,
  signal: AbortSignal,
): Promise<number> {
  await runSandbox(options, (line) => output.write(`${line}\n`), signal);
  return 0;
}

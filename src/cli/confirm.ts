import { confirm } from "@clack/prompts";
import type { Context } from "./context.ts";

/** Only a person at a terminal is asked; Ctrl-C and everybody else mean no. */
export async function isConfirmed({ terminal, signal }: Context, message: string): Promise<boolean> {
  if (terminal.stdin.isTTY !== true) return false;
  const { stdin: input, stderr: output } = terminal;
  return (await confirm({ message, initialValue: false, input, output, signal })) === true;
}

import { becomeUser, firstProcess } from "./wrap-program.ts";
import type { SandboxSpec, Tools, Wrapped } from "./sandbox-spec.ts";

/** Without namespaces: as root another user without any right, else nothing but a session and limits of its own. */
export function wrapPlain(
  tools: Tools,
  spec: SandboxSpec,
  options: { readonly secondUser: boolean },
): Wrapped {
  const [file = tools.sh, ...args] = firstProcess(
    tools,
    spec,
    false,
    options.secondUser ? becomeUser(tools, spec) : [],
  );
  return { file, args };
}

import { existsSync } from "node:fs";
import { stat } from "node:fs/promises";
import { isAbsolute, join, resolve } from "node:path";
import { Fault } from "../../faults/fault.ts";
import type { StartRequest } from "../runtime.ts";
import { findProgram } from "./machine.ts";
import { findUnsettable } from "./sandbox-env.ts";
import type { SandboxGround } from "./sandbox-request.ts";
import { isInside } from "./sandbox-spec.ts";

/** Throws `START_FAILED` for what cannot start: said here and at once, not by an exit code of 127 later. */
export async function checkProgram(ground: SandboxGround, request: StartRequest): Promise<void> {
  const unsettable = findUnsettable(request.env);
  if (unsettable !== null) throw Fault.of("START_FAILED", "", { message: unsettable });
  if (!(await stat(request.directory).catch(() => null))?.isDirectory()) {
    throw Fault.of("START_FAILED", "", { message: "the release's folder does not exist" });
  }
  if (request.command.kind === "static") {
    const root = resolve(request.directory, request.command.root);
    if (isInside(root, resolve(request.directory)) && existsSync(root)) return;
    throw Fault.of("START_FAILED", "", { message: "the folder to be served does not exist in the release" });
  }
  const [program] = request.command.argv;
  const path = request.env["PATH"] ?? ground.machine.path;
  const found = program.includes("/")
    ? existsSync(
        isAbsolute(program) ? inRelease(program, request.directory) : join(request.directory, program),
      )
    : (await findProgram(program, path)) !== null;
  if (!found) {
    throw Fault.of("START_FAILED", "", {
      message: `the program ${JSON.stringify(program)} does not exist`,
      evidence: { words: program },
    });
  }
}

/** A program below `/app` is one of the release. */
function inRelease(program: string, directory: string): string {
  return program.startsWith("/app/") ? join(directory, program.slice(5)) : program;
}

import { existsSync } from "node:fs";
import { readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import type { Box } from "../box.ts";
import type { Project, User } from "../state.ts";
import { fullDiskEnvironment } from "./full-disk.ts";
import { moveRefs } from "./move-refs.ts";
import { movedMessage } from "./moved.ts";
import type { Actor, Permission } from "./permission.ts";
import { refRules } from "./ref-rules.ts";

/**
 * Takes a push: alone on the project, with the rules of this user in the environment of git's hooks, and with everything that follows a
 * push. `work` runs git with that environment.
 */
export async function takePush(
  box: Box,
  { project, movedFrom }: Permission,
  user: User,
  protocol: Actor["protocol"],
  work: (environment: Readonly<Record<string, string>>) => Promise<void>,
): Promise<void> {
  await moveRefs(box, project, user, async () => {
    const file = optionsFile(box, project);
    await rm(file, { force: true });
    await work({
      GL_USERNAME: user.username,
      SANDBOX_PUSH_OPTIONS: file,
      SANDBOX_MESSAGE: movedFrom === null ? "" : movedMessage(box, project, movedFrom, protocol),
      ...refRules(box.state, user, project),
      ...(box.state.faults.git.diskFull ? await fullDiskEnvironment(box.repositories) : {}),
    });
    return readOptions(file);
  });
}

/** Where the pre-receive hook writes down the options of the push that is under way. */
function optionsFile(box: Box, project: Project): string {
  return join(box.repositories.root, `${project.id}.push-options`);
}

async function readOptions(file: string): Promise<string[]> {
  if (!existsSync(file)) return [];
  const text = await readFile(file, "utf8");
  await rm(file, { force: true });
  return text.split("\n").filter((line) => line !== "");
}

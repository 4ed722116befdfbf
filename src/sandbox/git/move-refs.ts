import type { Box } from "../box.ts";
import type { Project, User } from "../state.ts";
import { announce } from "../webhooks/announce.ts";
import { readRefs } from "./read.ts";
import { refChanges, settleDefaultBranch } from "./refs.ts";

type Git = (args: readonly string[]) => Promise<string>;

/**
 * Runs something that may move refs, alone on this project, and then does what GitLab does after a push: the default branch is
 * settled and the hooks are told. The work gives back the options of the push, if there are any. Also when the work failed half-way: git may have moved refs by then.
 */
export async function moveRefs(
  box: Box,
  project: Project,
  user: User,
  work: (git: Git) => Promise<readonly string[] | void>,
): Promise<void> {
  await box.repositories.exclusively(project, async () => {
    const before = await readRefs(box.repositories, project);
    let options: readonly string[] = [];
    try {
      options = (await work((args) => box.repositories.git(project, args))) ?? [];
    } finally {
      const after = await readRefs(box.repositories, project);
      await settleDefaultBranch(box.repositories, project, after);
      await announce(box, project, user, refChanges(before, after), options);
    }
  });
}

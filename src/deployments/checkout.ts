import { wayTo } from "../gitlab/network.ts";
import { deadline } from "../kernel/clock.ts";
import type { CheckedOut, Remote } from "../source/source.ts";
import { step } from "./advance.ts";
import type { Parts, Run } from "./context.ts";
import type { Target } from "./target.ts";
import { openWorkspace, type Workspace } from "./workspace.ts";

export interface Tree extends CheckedOut {
  readonly workspace: Workspace;
}

/** Brings the workspace to exactly the announced commit. */
export async function checkOut(run: Run): Promise<Tree> {
  return step(run, "check out", async () => {
    const workspace = await openWorkspace(run);
    const tree = await run.parts.source.checkOut({
      remote: await getRemote(run.parts, run.target),
      commit: run.claim.commit,
      workspace: workspace.folder,
      fence: run.claim,
      signal: deadline(run.parts.deadlines.checkOut, run.signal),
      onLine: (line) => run.log.line(line),
    });
    run.log.line(`${tree.commit.slice(0, 8)} ${tree.title} (${tree.author})`);
    await nameDeployment(run, tree);
    return { ...tree, workspace };
  });
}

/** The mirror is shared by all apps of a project. */
export async function getRemote(parts: Parts, target: Target): Promise<Remote> {
  const { token, network } = await parts.connections.open(target.connectionId);
  return {
    key: mirrorKey(target.connectionId, target.projectId),
    url: target.httpUrl,
    token,
    ca: network.ca,
    way: wayTo(target.httpUrl, network),
  };
}

/** What `Source` calls a project's mirror. */
export function mirrorKey(connectionId: string, projectId: number): string {
  return `${connectionId}/${projectId}`;
}

/** A deployment by hand is enqueued with the commit's id only; now its title and author are known. */
async function nameDeployment(run: Run, tree: CheckedOut): Promise<void> {
  await run.parts.store.db
    .updateTable("deployment")
    .set({ title: tree.title, author: tree.author })
    .where("id", "=", run.claim.deploymentId)
    .where("attempt", "=", run.claim.attempt)
    .execute();
}

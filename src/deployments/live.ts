import { sql } from "kysely";
import { advance } from "./advance.ts";
import { getRemote } from "./checkout.ts";
import type { Run } from "./context.ts";
import { writeEvent } from "./event.ts";
import { removeRelease, type Release } from "./release.ts";
import { lockEnvironment } from "./target.ts";
import { keepWorkspace } from "./workspace.ts";

/** How many releases of an environment can be started again, the live one included. */
const KEPT_RELEASES = 5;

/** The last state, and what may be done afterwards without anybody waiting for it. */
export async function finishLive(
  run: Run,
  release: Pick<Release, "id"> & Partial<Pick<Release, "directory" | "movedFrom">>,
): Promise<void> {
  run.log.line(`Live at ${run.parts.appUrl(run.target.host)}`);
  await run.log.flush();
  const { commit, ref } = run.claim;
  await advance(run, "live", (tx) =>
    writeEvent(tx, run.target.appId, "live", `${commit.slice(0, 8)} of ${ref} is live (${release.id})`),
  );
  const { parts, target } = run;
  parts.afterwards("removing old releases", () => removeOldReleases(run));
  const { directory, movedFrom } = release;
  if (directory && movedFrom) {
    parts.afterwards("keeping the workspace", (signal) => keepWorkspace(run, movedFrom, directory, signal));
  }
  if (run.claim.releaseId === null) {
    parts.afterwards("filling the mirror", async (signal) =>
      parts.source.fillMirror(await getRemote(parts, target), signal),
    );
  }
}

/** Marked under the environment's lock, so that none is taken from a rollback that waits or runs. What an earlier removal left goes with it. */
async function removeOldReleases({ parts, claim }: Run): Promise<void> {
  const rows = await parts.store.transaction(async (tx) => {
    await lockEnvironment(tx, claim.environmentId);
    await sql`update release set state = 'removing' where id in (
        select r.id from release r join environment e on e.id = r.environment_id
        where r.environment_id = ${claim.environmentId} and r.state = 'ready' and r.id is distinct from e.live_release_id
        order by r.created_at desc offset ${KEPT_RELEASES - 1})
      and not exists (select 1 from deployment d where d.release_id = release.id and d.finished_at is null)`.execute(
      tx,
    );
    return tx
      .selectFrom("release")
      .select(["id", "directory"])
      .where("environment_id", "=", claim.environmentId)
      .where("state", "=", "removing")
      .execute();
  });
  for (const release of rows) await removeRelease(parts.store, release);
}

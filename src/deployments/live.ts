import { sql } from "kysely";
import { advance } from "./advance.ts";
import { getRemote } from "./checkout.ts";
import type { Run } from "./context.ts";
import { writeEvent } from "./event.ts";
import { removeRelease, type Release } from "./release.ts";

/** How many releases of an environment can be started again, the live one included. */
const KEPT_RELEASES = 5;

/** The last state, and what may be done afterwards without anybody waiting for it. */
export async function finishLive(run: Run, release: Pick<Release, "id">): Promise<void> {
  run.log.line(`Live at ${run.parts.appUrl(run.target.host)}`);
  await run.log.flush();
  const { commit, ref } = run.claim;
  await advance(run, "live", (tx) =>
    writeEvent(tx, run.target.appId, "live", `${commit.slice(0, 8)} of ${ref} is live (${release.id})`),
  );
  const { parts, target } = run;
  parts.afterwards("removing old releases", () => removeOldReleases(run));
  if (run.claim.releaseId === null) {
    parts.afterwards("filling the mirror", async (signal) =>
      parts.source.fillMirror(await getRemote(parts, target), signal),
    );
  }
}

async function removeOldReleases(run: Run): Promise<void> {
  const { rows } = await sql<{ id: string; directory: string }>`
    select r.id, r.directory from release r join environment e on e.id = r.environment_id
    where r.environment_id = ${run.claim.environmentId} and r.state <> 'building' and r.id is distinct from e.live_release_id
    order by (r.state = 'ready') desc, r.created_at desc
    offset ${KEPT_RELEASES - 1}`.execute(run.parts.store.db);
  for (const release of rows) await removeRelease(run.parts.store, release);
}

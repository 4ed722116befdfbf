import { build } from "./build.ts";
import { checkOut } from "./checkout.ts";
import type { Run } from "./context.ts";
import { waitUntilHealthy } from "./health.ts";
import { finishLive } from "./live.ts";
import { rollBack } from "./rollback.ts";
import { getRelease, startRelease } from "./release.ts";
import { drainOld, switchTo } from "./switch.ts";

/**
 * The story of a deployment. Until the edge has switched, the old release serves and everything can be put back; from the switch on
 * there is only forward. Each line is a step with rows of its own; the signal stops any of them at once.
 */
export async function deploy(run: Run): Promise<void> {
  try {
    const release =
      run.claim.releaseId === null
        ? await build(run, await checkOut(run))
        : await getRelease(run, run.claim.releaseId);
    const replica = await startRelease(run, release);
    await waitUntilHealthy(run, release, replica);
    await switchTo(run, release, replica);
    await drainOld(run);
    await finishLive(run, release);
  } catch (error) {
    await rollBack(run, error);
  }
}

import { expect, test } from "vitest";
import { openStage } from "../../test/support/deploy-work.ts";
import { projectKey, withProjectLock } from "../apps/project-lock.ts";
import type { OpenConnection } from "../connections/connections.ts";
import { sleep } from "../kernel/clock.ts";
import { requestDeploy } from "./requests.ts";
import { getTarget } from "./target.ts";

const A = "a".repeat(40);
const B = "b".repeat(40);

test("a deployment by hand waits for the push that is being decided, and never queues the older head behind it", async () => {
  const stage = await openStage();
  let head = A;
  const gitlab = {
    findBranch: async () => ({ name: "main", commit: { sha: head, title: "a commit", authorName: "Ada" } }),
  } as unknown as OpenConnection["gitlab"];
  const { connections } = stage.parts;
  const open = async (id: string) => ({ ...(await connections.open(id)), gitlab });
  const ask = { ...stage.parts, connections: { ...connections, open }, enqueue: stage.enqueue };
  const { connectionId, projectId } = await getTarget(stage.store.db, stage.environmentId);
  const key = projectKey(connectionId, projectId);
  const asked = await withProjectLock(stage.store, key, { waitMs: 0 }, async () => {
    const request = requestDeploy(ask, stage.environmentId, "main"); // the branch by its name is its head too
    await Promise.race([request, sleep(300)]);
    head = B;
    await stage.push(B);
    return { request };
  });
  expect((await asked.request).commit).toBe(B);
  const environment = await stage.store.db
    .selectFrom("environment")
    .select("wanted_commit")
    .executeTakeFirstOrThrow();
  expect(environment.wanted_commit).toBe(B);
});

import { LEVEL } from "../access.ts";
import { setDeploymentStatus } from "../deployments.ts";
import { environmentsOf, insertEnvironment, problemsOfEnvironment } from "../environments.ts";
import { readRefs, resolveCommit } from "../git/read.ts";
import { filled, flag, integer, oneOf } from "../params.ts";
import { created, noContent, ok, recordNotFound, refuse, type Reply } from "../reply.ts";
import { route, type Call, type Route } from "../route.ts";
import type { Project } from "../state.ts";
import {
  DEPLOYMENT_STATUSES,
  type Deployment,
  type DeploymentStatus,
  type Environment,
} from "../work-rows.ts";
import { deploymentListRoutes, deploymentsOf } from "./deployment-list.ts";
import { deploymentEntity, lastDeployment } from "./environment-entity.ts";
import { getDeployable } from "./environments.ts";

const path = "/projects/:id/deployments";
const one = `${path}/:deployment_id`;
const single = { deployment_id: integer };
const status = oneOf(DEPLOYMENT_STATUSES);

export const deploymentRoutes: readonly Route[] = [
  ...deploymentListRoutes,
  route({
    method: "GET",
    path: one,
    params: single,
    handle: (call, { deployment_id }) =>
      ok(deploymentEntity(call.box, getDeployment(call, deployment_id, LEVEL.reporter))),
  }),
  route({
    method: "POST",
    path,
    since: "createDeployment",
    params: { environment: filled, sha: filled, ref: filled, tag: flag, status },
    handle: createDeployment,
  }),
  route({
    method: "PUT",
    path: one,
    since: "createDeployment",
    params: { ...single, status },
    handle: async (call, given) => {
      const project = getDeployable(call, LEVEL.developer);
      const row = getDeployment(call, given.deployment_id, LEVEL.developer);
      const refused = await setDeploymentStatus(call.box, project, call.authenticate(), row, given.status);
      if (refused !== null) throw refuse(400, { status: [refused] });
      return ok(deploymentEntity(call.box, row));
    },
  }),
  route({
    method: "DELETE",
    path: one,
    since: "deploymentDelete",
    params: single,
    handle: (call, { deployment_id }) => {
      const row = getDeployment(call, deployment_id, LEVEL.maintainer);
      if (row.status === "running") throw refuse(400, "Cannot destroy running deployment");
      const environment = call.box.state.environments.get(row.environmentId);
      if (environment && lastDeployment(call.box, environment)?.id === row.id) {
        throw refuse(400, "Deployment currently deployed to environment");
      }
      call.box.state.deployments.delete(row.id);
      return noContent();
    },
  }),
];

function getDeployment(call: Call, id: number, level: number): Deployment {
  const project = getDeployable(call, level);
  const row = deploymentsOf(call, project).find((candidate) => candidate.id === id);
  if (!row) throw recordNotFound();
  return row;
}

interface Given {
  readonly environment: string;
  readonly sha: string;
  readonly ref: string;
  readonly tag: boolean;
  readonly status: DeploymentStatus;
}

async function createDeployment(call: Call, given: Given): Promise<Reply> {
  const { state, repositories } = call.box;
  const project = getDeployable(call, LEVEL.developer);
  const user = call.authenticate();
  const sha = /^[0-9a-f]{7,64}$/.test(given.sha)
    ? await resolveCommit(repositories, project, given.sha)
    : null;
  if (sha === null) throw refuse(400, { sha: ["The commit does not exist"] });
  const refs = await readRefs(repositories, project);
  if (!refs.has(`refs/heads/${given.ref}`) && !refs.has(`refs/tags/${given.ref}`)) {
    throw refuse(400, { ref: ["The branch or tag does not exist"] });
  }
  const environment = ensureEnvironment(call, project, given.environment);
  const newest = deploymentsOf(call, project).findLast((row) => row.environmentId === environment.id);
  if (newest && isSame(newest, { ...given, sha }, user.id))
    return created(deploymentEntity(call.box, newest));
  const now = state.now();
  const row: Deployment = {
    id: state.nextId("deployment"),
    iid: state.nextId(`deployment of ${project.id}`),
    projectId: project.id,
    environmentId: environment.id,
    sha,
    ref: given.ref,
    tag: given.tag,
    userId: user.id,
    createdAt: now,
    updatedAt: now,
    status: "created",
    finishedAt: null,
  };
  state.deployments.set(row.id, row);
  await setDeploymentStatus(call.box, project, user, row, given.status);
  return created(deploymentEntity(call.box, row));
}

/** One that is sent again is no new one. */
function isSame(row: Deployment, given: Given, userId: number): boolean {
  return (
    row.sha === given.sha &&
    row.ref === given.ref &&
    row.tag === given.tag &&
    row.status === given.status &&
    row.userId === userId
  );
}

function ensureEnvironment(call: Call, project: Project, name: string): Environment {
  const { state } = call.box;
  const known = environmentsOf(state, project).find((row) => row.name === name);
  if (known) return known;
  const problems = problemsOfEnvironment(state, project, { name });
  if (Object.keys(problems).length > 0) throw refuse(400, problems);
  return insertEnvironment(state, project, { name });
}

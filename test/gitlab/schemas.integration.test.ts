import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { Ajv } from "ajv";
import addFormats from "ajv-formats";
import { expect, test } from "vitest";
import { ROUTES } from "../../src/sandbox/api/routes.ts";
import { baseOf } from "./facts/endpoints.ts";
import { GITLAB, servedBy, shapeOf } from "./facts/fact.ts";
import { ask, openSituation, openWorld } from "./facts/situation.ts";

/** Which of GitLab's schemas its own specs hold an endpoint's body to. */
const SCHEMAS: Readonly<Record<string, string>> = {
  "GET /metadata": "metadata",
  "GET /user": "user/public",
  "GET /projects/:id": "project/identity",
  "GET /projects/:id/hooks": "project_hooks",
  "GET /projects/:id/hooks/:hook_id": "project_hook",
  "POST /projects/:id/hooks": "project_hook",
  "PUT /projects/:id/hooks/:hook_id": "project_hook",
  "GET /deploy_keys": "deploy_keys",
  "POST /deploy_keys": "deploy_key",
  "GET /projects/:id/repository/branches": "branches",
  "GET /projects/:id/repository/branches/:branch": "branch",
  "POST /projects/:id/repository/branches": "branch",
  "PUT /projects/:id/repository/branches/:branch/protect": "branch",
  "PUT /projects/:id/repository/branches/:branch/unprotect": "branch",
  "GET /projects/:id/repository/tags": "tags",
  "GET /projects/:id/repository/tags/:tag_name": "tag",
  "POST /projects/:id/repository/tags": "tag",
  "GET /projects/:id/repository/commits": "commits",
  "GET /projects/:id/repository/commits/:sha": "commit/detail",
  "GET /projects/:id/environments": "environments",
  "GET /projects/:id/environments/:environment_id": "environment",
  "POST /projects/:id/environments": "environment",
  "PUT /projects/:id/environments/:environment_id": "environment",
  "POST /projects/:id/environments/:environment_id/stop": "environment",
  "GET /projects/:id/deployments/:deployment_id": "deployment",
  "POST /projects/:id/deployments": "deployment",
  "PUT /projects/:id/deployments/:deployment_id": "deployment",
  "GET /projects/:id/merge_requests": "merge_requests",
  "GET /projects/:id/merge_requests/:merge_request_iid": "merge_request",
  "POST /projects/:id/merge_requests": "merge_request",
  "PUT /projects/:id/merge_requests/:merge_request_iid": "merge_request",
  "PUT /projects/:id/merge_requests/:merge_request_iid/merge": "merge_request",
  "GET /projects/:id/merge_requests/:noteable_id/notes": "notes",
  "GET /projects/:id/members": "members",
  "GET /projects/:id/members/all": "members",
  "GET /groups/:id/members": "members",
  "GET /groups/:id/members/all": "members",
  "GET /projects/:id/access_tokens": "resource_access_tokens",
  "GET /groups/:id/access_tokens": "resource_access_tokens",
};

const FOLDER = join(GITLAB, "schemas");
const isThere = existsSync(FOLDER);
const isServed = servedBy(ROUTES);

function loadSchemas(): Ajv {
  const ajv = new Ajv({ strict: false, allErrors: true });
  addFormats.default(ajv);
  for (const file of readdirSync(FOLDER, { recursive: true, encoding: "utf8" })) {
    if (!file.endsWith(".json")) continue;
    const schema = JSON.parse(readFileSync(join(FOLDER, file), "utf8"));
    ajv.addSchema({ ...schema, $schema: undefined, $id: `file:///${file}` });
  }
  return ajv;
}

test.skipIf(!isThere)(
  "every body that has a schema validates (skipped without ../shared)",
  async () => {
    const ajv = loadSchemas();
    await using world = await openWorld();
    const wrong: unknown[] = [];
    for (const [endpoint, schema] of Object.entries(SCHEMAS).filter(([name]) => isServed(name))) {
      const validate = ajv.getSchema(`file:///public_api/v4/${schema}.json`);
      if (!validate) throw new Error(`no schema ${schema}`);
      const situation = await openSituation(world, endpoint);
      for (const step of baseOf(endpoint) ?? []) await step(situation);
      if (endpoint.includes("deploy_keys")) situation.actor = "admin";
      const { status, body } = await ask(situation, endpoint);
      const isFull = !Array.isArray(body) || body.length > 0;
      if (status >= 300 || !isFull || validate(body) !== true)
        wrong.push({ endpoint, status, errors: validate.errors });
    }
    expect(wrong).toEqual([]);
  },
  180_000,
);

test.skipIf(!isThere)(
  "every endpoint with a schema has a request of its own (skipped without ../shared)",
  () => {
    const without = Object.keys(SCHEMAS).filter((name) => isServed(name) && baseOf(name) === null);
    expect(without).toEqual([]);
    const shapes = Object.keys(SCHEMAS).map(shapeOf);
    expect(new Set(shapes).size).toBe(shapes.length);
  },
);

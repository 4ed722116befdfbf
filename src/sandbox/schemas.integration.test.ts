import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";
import { Ajv } from "ajv";
import addFormats from "ajv-formats";
import { expect, test } from "vitest";
import { openScene, type Scene } from "./scene.suite.ts";

const SCHEMAS = join(import.meta.dirname, "../../../shared/gitlab/schemas");
const KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl ann@laptop";

function loadSchemas(): Ajv {
  const ajv = new Ajv({ strict: false, allErrors: true });
  addFormats.default(ajv);
  for (const file of readdirSync(SCHEMAS, { recursive: true, encoding: "utf8" })) {
    if (!file.endsWith(".json")) continue;
    const schema = JSON.parse(readFileSync(join(SCHEMAS, file), "utf8"));
    ajv.addSchema({ ...schema, $schema: undefined, $id: `file:///${relative("", file)}` });
  }
  return ajv;
}

test.skipIf(!existsSync(SCHEMAS))(
  "bodies validate against GitLab's own schemas of 18.9 (skipped without ../shared)",
  async () => {
    const ajv = loadSchemas();
    await using scene = await openScene();
    const check = async (
      schema: string,
      method: string,
      path: string,
      body?: unknown,
      token?: string,
    ): Promise<void> => {
      const answer = await scene.call(method, path, body, token);
      const validate = ajv.getSchema(`file:///public_api/v4/${schema}.json`);
      expect(validate, `schema ${schema}`).toBeDefined();
      const ok = validate?.(answer.body);
      expect({ path, ok, errors: validate?.errors ?? [] }).toEqual({ path, ok: true, errors: [] });
    };
    await check("metadata", "GET", "/metadata");
    await check("metadata", "GET", "/version");
    await check("user/public", "GET", "/user");
    await check("projects", "GET", "/projects?simple=true");
    await check("project/identity", "GET", "/projects/1");
    await check("projects", "GET", "/groups/acme/projects?simple=true");
    await check("project/identity", "POST", "/projects", { name: "From a template", template_name: "rails" });
    await check("project/identity", "GET", "/projects/1/import");
    await check("project/identity", "PUT", "/projects/1", { description: "A shop" });
    await check("members", "GET", "/projects/1/members/all");
    await check("members", "GET", "/groups/acme/members");
    await check("branches", "GET", "/projects/1/repository/branches");
    await check("branch", "GET", "/projects/1/repository/branches/main");
    await check("commits", "GET", "/projects/1/repository/commits");
    await check("commits_with_stats", "GET", "/projects/1/repository/commits?with_stats=true");
    await check("tag", "POST", "/projects/1/repository/tags", {
      tag_name: "v1",
      ref: "main",
      message: "one",
    });
    await check("tag", "POST", "/projects/1/repository/tags", { tag_name: "light", ref: "main" });
    await check("tags", "GET", "/projects/1/repository/tags");
    await check("commit/basic", "GET", "/projects/1/repository/merge_base?refs[]=v1&refs[]=main");
    await check("commit/detail", "GET", "/projects/1/repository/commits/main");
    await scene.call("POST", `/projects/1/statuses/${await head(scene)}`, {
      state: "running",
      name: "deploy",
    });
    await check("commit/detail", "GET", "/projects/1/repository/commits/main");
    await check("project_hook", "POST", "/projects/1/hooks", { url: "http://127.0.0.1:9/", token: "x" });
    await check("project_hook", "GET", "/projects/1/hooks/1");
    await check("project_hooks", "GET", "/projects/1/hooks");
    const file = { branch: "topic", start_branch: "main", commit_message: "x", content: "x" };
    await scene.call("POST", "/projects/1/repository/files/topic.txt", file);
    const wanted = { title: "Topic", source_branch: "topic", target_branch: "main" };
    await check("merge_request", "POST", "/projects/1/merge_requests", wanted);
    await check("merge_request", "GET", "/projects/1/merge_requests/1");
    await check("merge_requests", "GET", "/projects/1/merge_requests");
    await check("merge_request_simple", "GET", "/projects/1/merge_requests/1");
    await scene.call("POST", "/projects/1/merge_requests/1/notes", { body: "x" });
    await check("notes", "GET", "/projects/1/merge_requests/1/notes");
    await check("merge_request", "PUT", "/projects/1/merge_requests/1/merge", {});
    const deployment = {
      environment: "production",
      sha: await head(scene),
      ref: "main",
      tag: false,
      status: "success",
    };
    await check("deployment", "POST", "/projects/1/deployments", deployment);
    await check("deployment", "GET", "/projects/1/deployments/1");
    await check("environment", "GET", "/projects/1/environments/1");
    await check("environments", "GET", "/projects/1/environments");
    await check("environment", "POST", "/projects/1/environments", { name: "staging" });
    await scene.call("POST", "/projects/1/deploy_keys", { title: "deploy", key: KEY });
    const admin = scene.tokenWith({ user: scene.sandbox.state.root });
    await check("deploy_keys", "GET", "/deploy_keys", undefined, admin);
  },
);

async function head(scene: Scene): Promise<string> {
  return (await scene.call("GET", "/projects/1/repository/branches/main")).body.commit.id;
}

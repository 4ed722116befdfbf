import { expect, test } from "vitest";
import { Secret } from "../kernel/secret.ts";
import { openScene, type Scene } from "../sandbox/scene.suite.ts";
import { checkConnection } from "./check.ts";

/** What GitLab notes of everybody who asks: when and from where a token was used, which requests counted towards a limit. */
const NOTED = new Set(["lastUsedAt", "lastUsedIps", "clock", "deliveries", "faults"]);

/** Everything a sandbox holds, rows and refs, as text. */
async function stateOf(scene: Scene): Promise<string> {
  const refs = await scene.git("ls-remote", scene.remote());
  return JSON.stringify([scene.sandbox.rows, refs.output], (name, value: unknown) => {
    if (NOTED.has(name) || typeof value === "function") return undefined;
    if (value instanceof Map) return [...value];
    return value instanceof Set ? [...value] : value;
  });
}

test.each(["10.5.0", "13.12.0", "15.3.0", "18.9.0", "19.2.0"])(
  "no check changes anything in GitLab %s",
  async (version) => {
    await using scene = await openScene({ version });
    const { sandbox, project } = scene;
    const developer = sandbox.state.createUser({ username: "dev" });
    sandbox.state.addMember(project, developer, 30);
    const blocked = sandbox.state.createUser({ username: "eve", condition: "blocked" });
    const place = { access: "selected_memberships", projectId: project.id, groupId: null } as const;
    const everything = [
      "read_project",
      "create_webhook",
      "update_webhook",
      "read_webhook",
      "create_deploy_key",
    ];
    const tokens = [
      scene.token,
      scene.tokenWith({ user: sandbox.state.root }),
      scene.tokenWith({ user: developer }),
      scene.tokenWith({ user: blocked }),
      scene.tokenWith({ scopes: ["read_api"] }),
      scene.tokenWith({ scopes: ["read_repository"] }),
      scene.tokenWith({
        granularScopes: [{ ...place, permissions: [...everything, "create_commit_status"] }],
      }),
      scene.tokenWith({
        granularScopes: [{ access: "user", projectId: null, groupId: null, permissions: ["create_project"] }],
      }),
      "glpat-nobodyknowsthisone",
    ];
    const before = await stateOf(scene);
    expect(before.length).toBeGreaterThan(2000);
    for (const token of tokens) {
      await checkConnection({
        url: sandbox.url,
        token: new Secret(token),
        projects: [
          { project: project.id, seen: null },
          { project: "acme/none", seen: null },
        ],
      });
    }
    expect(await stateOf(scene)).toBe(before);
  },
);

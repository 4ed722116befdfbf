import { describe, expect, test } from "vitest";
import { Secret } from "../kernel/secret.ts";
import { openScene, type Scene } from "../sandbox/scene.suite.ts";
import { checkConnection } from "./check.ts";
import type { Diagnosis } from "./diagnosis.ts";
import { parseProject } from "./project-checks.ts";

const look = async (scene: Scene, project: number | string, token = scene.token): Promise<Diagnosis> => {
  const request = { url: scene.sandbox.url, token: new Secret(token) };
  return (await checkConnection({ ...request, projects: [{ project, seen: null }] })).diagnosis;
};
const errorOf = ({ error }: Diagnosis): string => (error ? `${error.code} ${error.reason}`.trim() : "none");
const stateOf = ({ checks }: Diagnosis, id: string): string =>
  checks.find((check) => check.id === id)?.state ?? "absent";
const check = ({ checks }: Diagnosis, id: string) => checks.find((one) => one.id === id);

describe("a project", () => {
  test.each(["10.5.0", "13.12.0", "15.3.0", "18.9.0", "19.1.0"])("that is sound, on %s", async (version) => {
    await using scene = await openScene({ version });
    for (const project of [scene.project.id, "acme/shop", `${scene.sandbox.url}/acme/shop/-/settings`]) {
      const diagnosis = await look(scene, project);
      expect(diagnosis.error).toBeNull();
      expect(check(diagnosis, "project.visible")).toMatchObject({ state: "ok", title: "acme/shop is there" });
      expect(check(diagnosis, "project.role")).toMatchObject({ state: "ok" });
      expect(check(diagnosis, "git.read")).toMatchObject({ state: "ok", evidence: "1 branches" });
      expect(stateOf(diagnosis, "git.ssh")).toBe("skip");
      expect(stateOf(diagnosis, "hook.present")).toBe("skip");
    }
  });

  test("that does not exist", async () => {
    await using scene = await openScene();
    const diagnosis = await look(scene, "acme/nothing");
    expect(errorOf(diagnosis)).toBe("PROJECT_NOT_FOUND hidden_or_missing");
    expect(check(diagnosis, "git.read")?.title).toMatch(/not reached$/);
  });

  test.each([
    [10, "INSUFFICIENT_ROLE", "Guest"],
    [20, "INSUFFICIENT_ROLE", "Reporter"],
    [30, "INSUFFICIENT_ROLE", "Developer"],
    [40, "none", null],
  ])("in which the user has the level %i", async (level, error, role) => {
    await using scene = await openScene();
    const user = scene.sandbox.state.createUser({ username: "eve" });
    scene.sandbox.state.addMember(scene.project, user, level);
    const diagnosis = await look(scene, "acme/shop", scene.tokenWith({ user }));
    expect(errorOf(diagnosis)).toBe(error);
    expect(diagnosis.error?.evidence["role"] ?? null).toBe(role);
    expect(stateOf(diagnosis, "git.read")).toBe(level >= 20 ? "ok" : "fail");
  });

  test("that is archived, empty, or has no repository", async () => {
    await using scene = await openScene();
    scene.project.archived = true;
    expect(errorOf(await look(scene, "acme/shop"))).toBe("PROJECT_ARCHIVED");
    scene.project.archived = false;
    scene.project.repositoryEnabled = false;
    expect(errorOf(await look(scene, "acme/shop"))).toBe("REPOSITORY_DISABLED");
    await scene.sandbox.state.createProject({ path: "acme/empty", owner: scene.ann });
    const empty = await look(scene, "acme/empty");
    expect(empty.ok).toBe(true);
    expect(stateOf(empty, "project.visible")).toBe("warn");
  });

  test("whose branch is protected from the token's user", async () => {
    await using scene = await openScene();
    scene.project.protectedBranches.set("main", { pushLevel: 0, allowForcePush: false });
    const diagnosis = await look(scene, "acme/shop");
    expect(check(diagnosis, "project.role")).toMatchObject({
      state: "warn",
      fix: expect.stringContaining("Protected branches"),
    });
  });

  test("several at once are told once, with the one that is broken", async () => {
    await using scene = await openScene();
    await scene.sandbox.state.createProject({ path: "acme/two", owner: scene.ann, files: { a: "b" } });
    const { diagnosis } = await checkConnection({
      url: scene.sandbox.url,
      token: new Secret(scene.token),
      projects: ["acme/shop", "acme/gone", "acme/two"].map((project) => ({ project, seen: null })),
    });
    expect(errorOf(diagnosis)).toBe("PROJECT_NOT_FOUND hidden_or_missing");
    expect(diagnosis.checks.filter(({ id }) => id === "project.visible")).toHaveLength(1);
    expect(check(diagnosis, "git.read")).toMatchObject({
      state: "ok",
      title: "git reads acme/shop (and 1 more of 3 projects)",
    });
  });
});

test("an administrator is warned, and the settings are read", async () => {
  await using scene = await openScene();
  const token = scene.tokenWith({ user: scene.sandbox.state.root });
  const diagnosis = await look(scene, "acme/shop", token);
  expect(diagnosis.ok).toBe(true);
  expect(stateOf(diagnosis, "user.state")).toBe("warn");
});

test.each([
  ["acme/shop", "acme/shop"],
  [" /acme/shop/ ", "acme/shop"],
  ["acme/shop.git", "acme/shop"],
  ["https://git.acme.lan/gl/acme/shop/-/tree/main", "acme/shop"],
  ["42", 42],
])("%j is the project %j", (text, project) => {
  expect(parseProject(text, "https://git.acme.lan/gl")).toBe(project);
});

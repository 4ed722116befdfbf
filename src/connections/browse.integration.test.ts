import { beforeAll, afterAll, describe, expect, test } from "vitest";
import { faultOf } from "../../test/support/fault-of.ts";
import { createGitLab } from "../gitlab/client.ts";
import { Secret } from "../kernel/secret.ts";
import { createSandbox, type Sandbox } from "../sandbox/sandbox.ts";
import { createBrowser, type Browser } from "./browse.ts";

const ONE_CONNECTION = "work";

/** A browser over one connection to this sandbox, and the requests that were made. */
function browse(sandbox: Sandbox, token: string, version = sandbox.version): Browser & AsyncDisposable {
  const gitlab = createGitLab({ baseUrl: sandbox.url, token: new Secret(token) });
  const browser = createBrowser({
    get: async () => ({ id: "con_1", version }) as never,
    open: async () => ({ gitlab }) as never,
  });
  return { ...browser, [Symbol.asyncDispose]: () => gitlab[Symbol.asyncDispose]() };
}

describe("with GitLab 18.9", () => {
  let sandbox: Sandbox;
  let token: string;
  beforeAll(async () => {
    sandbox = await createSandbox({ version: "18.9.0" });
    const { state } = sandbox;
    const ada = state.createUser({ username: "ada" });
    token = state.createToken({ user: ada }).value;
    const top = state.createGroup({ path: "acme" });
    state.createGroup({ path: "acme/web/shop" });
    state.addMember(top, ada, 30);
    const make = async (path: string, level: number): Promise<void> => {
      const project = await state.createProject({ path, files: { "src/a.txt": "A\n", "b.txt": "B\n" } });
      if (level > 0) state.addMember(project, ada, level);
      if (path.endsWith("old")) project.archived = true;
      if (path.endsWith("off")) project.repositoryEnabled = false;
    };
    await make("acme/web/shop/deep", 0); // Developer, by the group above
    await make("acme/mine", 40);
    await make("acme/old", 40);
    await make("acme/off", 50);
    const empty = await state.createProject({ path: "acme/empty" });
    state.addMember(empty, ada, 40);
    await make("other/secret", 0);
  });
  afterAll(() => sandbox.close());

  test("each project says whether it can be deployed, and why not", async () => {
    await using browser = browse(sandbox, token);
    const { items } = await browser.listProjects(ONE_CONNECTION, {});
    const verdicts = Object.fromEntries(
      items.map(({ path, canDeploy, reason }) => [path, [canDeploy, reason]]),
    );
    expect(verdicts).toEqual({
      "acme/web/shop/deep": [false, expect.stringMatching(/^it needs the role Maintainer/)],
      "acme/mine": [true, null],
      "acme/old": [false, "it is archived"],
      "acme/off": [false, "its repository is switched off"],
      "acme/empty": [true, "it is empty: the first push is deployed"],
    });
  });

  test("a role inherited from a group above counts, though the list does not tell it", async () => {
    await using elder = await createSandbox({ version: "16.3.0" });
    const { state } = elder;
    const bob = state.createUser({ username: "bob" });
    state.addMember(state.createGroup({ path: "acme" }), bob, 40);
    await state.createProject({ path: "acme/web/shop" });
    await using browser = browse(elder, state.createToken({ user: bob }).value);
    const { items } = await browser.listProjects(ONE_CONNECTION, {});
    expect(items).toMatchObject([{ path: "acme/web/shop", canDeploy: true, accessLevel: 40 }]);
  });

  test("without GitLab's filter the role is what the list says, or unknown", async () => {
    await using browser = browse(sandbox, token, "10.5.0");
    const { items } = await browser.listProjects(ONE_CONNECTION, { search: "mine" });
    expect(items).toMatchObject([{ path: "acme/mine", canDeploy: true, accessLevel: 40 }]);
  });

  test("groups are walked from the topmost down, by id and by path", async () => {
    await using browser = browse(sandbox, token);
    const top = await browser.listGroups(ONE_CONNECTION, {});
    expect(top.items.map(({ path }) => path)).toEqual(["acme"]);
    const second = await browser.listGroups(ONE_CONNECTION, { parent: String(top.items[0]?.id) });
    expect(second.items.map(({ path }) => path)).toEqual(["acme/web"]);
    const third = await browser.listGroups(ONE_CONNECTION, { parent: "acme/web" });
    expect(third.items.map(({ path }) => path)).toEqual(["acme/web/shop"]);
    const inside = await browser.listProjects(ONE_CONNECTION, { group: "acme/web" });
    expect(inside.items.map(({ path }) => path)).toEqual(["acme/web/shop/deep"]);
    expect((await faultOf(browser.listGroups(ONE_CONNECTION, { parent: "nobody" }))).code).toBe("NOT_FOUND");
  });

  test("folders, files, and what is not there", async () => {
    await using browser = browse(sandbox, token);
    const look = (path: string, ref?: string) => browser.look(ONE_CONNECTION, "acme/mine", { path, ref });
    expect((await look("")).entries?.map(({ path }) => path)).toEqual(["src", "b.txt"]);
    expect((await look("/src/")).entries?.map(({ path }) => path)).toEqual(["src/a.txt"]);
    expect(Buffer.from((await look("src/a.txt")).content ?? []).toString()).toBe("A\n");
    expect((await faultOf(look("nothing"))).code).toBe("NOT_FOUND");
    expect((await faultOf(look("../etc/passwd"))).code).toBe("NOT_FOUND");
    expect((await faultOf(look("b.txt", "no-such-branch"))).code).toBe("NOT_FOUND");
    const empty = browser.look(ONE_CONNECTION, "acme/empty", { path: "" });
    expect((await faultOf(empty)).code).toBe("REPOSITORY_EMPTY");
    const branches = await browser.listBranches(ONE_CONNECTION, "acme/mine", {});
    expect(branches.items).toMatchObject([{ name: "main", isDefault: true }]);
    expect((await browser.listBranches(ONE_CONNECTION, "acme/empty", {})).items).toEqual([]);
  });
});

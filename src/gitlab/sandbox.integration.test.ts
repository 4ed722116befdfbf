import { randomBytes } from "node:crypto";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startAnswering } from "../../test/support/answering-server.ts";
import { faultOf } from "../../test/support/fault-of.ts";
import { Secret } from "../kernel/secret.ts";
import { openScene, type Scene } from "../sandbox/scene.suite.ts";
import { createGitLab } from "./client.ts";
import type { GitLab } from "./gitlab.ts";
import { identifyGitLab } from "./identify.ts";
import { parseWebhook } from "./webhook-payload.ts";
import { verifyWebhook } from "./webhook.ts";

const KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJqfHVRq9PfWzEmJqBq1JqXh0bqTqLq7rUeC6kZ5cPqX fairlead";

describe.each(["13.12.0", "15.3.0", "18.9.0", "19.1.0"])(
  "the whole client against a sandbox of %s",
  (version) => {
    let scene: Scene;
    let gitlab: GitLab;
    let id = 0;
    const secret = new Secret("s".repeat(43));
    const signingKey = new Secret(`whsec_${randomBytes(32).toString("base64")}`);
    const signs = version.startsWith("19");

    beforeAll(async () => {
      scene = await openScene({ version, relativeUrl: "/gitlab" });
      gitlab = createGitLab({ baseUrl: scene.sandbox.url, token: new Secret(scene.token) });
      id = scene.project.id;
    });
    afterAll(async () => {
      await gitlab[Symbol.asyncDispose]();
      await scene[Symbol.asyncDispose]();
    });

    test("instance, token, user", async () => {
      await identifyGitLab({ baseUrl: scene.sandbox.url });
      expect((await gitlab.instance()).version).toBe(version);
      const token = await gitlab.findToken();
      const known = !version.startsWith("13") && !version.startsWith("15");
      expect(token?.scopes ?? null).toEqual(known ? ["api"] : null);
      expect(await gitlab.getUser()).toMatchObject({ username: "ann", bot: false });
      await gitlab.probeApiScope();
      expect(scene.sandbox.rows.projects.size).toBe(1);
    });

    test("browsing: projects, branches, folders, a file; and what git lets the token do", async () => {
      expect((await gitlab.listProjects({ search: "shop" })).items.map(({ path }) => path)).toEqual([
        "acme/shop",
      ]);
      expect((await gitlab.listGroups()).items.map(({ path }) => path)).toContain("acme");
      const branches = await gitlab.listBranches(id);
      expect(branches.items).toMatchObject([{ name: "main", isDefault: true }]);
      const tree = await gitlab.listTree(id, { ref: "main" });
      const file = tree.items.find(({ type }) => type === "blob");
      expect(await gitlab.findFile(id, file?.path ?? "", "main")).not.toBeNull();
      expect(await gitlab.findFile(id, "no/such/file", "main")).toBeNull();
      expect(await gitlab.probeGit("read")).toBe(true);
      expect(await gitlab.probeGit("push")).toBe(true);
      expect(scene.sandbox.rows.projects.size).toBe(1);
    });

    test("a wrong token and one without api", async () => {
      await using wrong = createGitLab({
        baseUrl: scene.sandbox.url,
        token: new Secret("glpat-nobodyknowsthisone"),
      });
      expect(await faultOf(wrong.findToken())).toMatchObject({
        code: "AUTH_FAILED",
        reason: "unknown_token",
      });
      const value = scene.tokenWith({ scopes: ["read_api"] });
      await using small = createGitLab({ baseUrl: scene.sandbox.url, token: new Secret(value) });
      expect(await faultOf(small.probeApiScope())).toMatchObject({
        code: "INSUFFICIENT_SCOPES",
        reason: "missing_api",
      });
      expect((await small.getProject(id)).id).toBe(id);
    });

    test("project, branch, commit, comparison", async () => {
      const project = await gitlab.getProject("acme/shop");
      expect(project).toMatchObject({
        id,
        path: "acme/shop",
        archived: false,
        emptyRepo: false,
        defaultBranch: "main",
      });
      expect(project.httpUrl).toBe(`${scene.sandbox.url}/acme/shop.git`);
      const branch = await gitlab.findBranch(id, "main");
      const first = branch?.commit.sha ?? "";
      expect(first).toMatch(/^[0-9a-f]{40}$/);
      expect(await gitlab.findBranch(id, "no/such branch")).toBeNull();
      expect(await gitlab.findCommit(id, "0".repeat(40))).toBeNull();
      const second = await scene.sandbox.state.commit(
        scene.project,
        { "lib/b.txt": "b\n", "lib/a.txt": null },
        { message: "Move" },
      );
      expect((await gitlab.findCommit(id, "main"))?.sha).toBe(second);
      const compared = await gitlab.compare(id, first, second);
      expect(compared.changedPaths?.toSorted()).toEqual(["lib/a.txt", "lib/b.txt"]);
      expect(compared.commits.map(({ title }) => title)).toEqual(["Move"]);
      expect((await faultOf(gitlab.compare(id, "1".repeat(40), second))).code).toBe("NOT_FOUND");
      expect((await faultOf(gitlab.getProject(99_999))).is("PROJECT_NOT_FOUND", "hidden_or_missing")).toBe(
        true,
      );
    });

    test("a hook is made, read, changed, called for a push, and removed", async () => {
      await using receiver = await startAnswering(() => ({ body: { accepted: true } }));
      const settings = {
        url: `${receiver.url}/hooks/one`,
        token: secret,
        signingToken: signingKey,
        name: "fairlead",
      };
      const made = await gitlab.createHook(id, settings);
      expect(made).toMatchObject({
        url: settings.url,
        pushEvents: true,
        tagPushEvents: true,
        mergeRequestsEvents: false,
      });
      expect(made.signingTokenPresent).toBe(signs ? true : null);
      const moved = await gitlab.updateHook(id, made.id, { ...settings, url: `${receiver.url}/hooks/two` });
      expect((await gitlab.listHooks(id)).map(({ url }) => url)).toEqual([moved.url]);

      const pushed = await scene.git("clone", "-q", scene.remote(), `w-${version}`);
      expect(pushed).toMatchObject({ ok: true });
      const at = ["-C", `w-${version}`];
      expect(await scene.git(...at, "commit", "-q", "--allow-empty", "-m", "New price")).toMatchObject({
        ok: true,
      });
      expect(await scene.git(...at, "push", "-q", "origin", "HEAD:main")).toMatchObject({ ok: true });
      await scene.sandbox.settled();

      expect(receiver.asked.map(({ url }) => url)).toEqual(["/hooks/two"]);
      const [asked] = receiver.asked;
      const headers = Object.fromEntries(
        Object.entries(asked?.headers ?? {}).map(([name, value]) => [name, String(value)]),
      );
      const body = Buffer.from(asked?.body ?? "");
      const call = { headers, body, secret, signingKey, signed: signs, now: Date.now() };
      expect(verifyWebhook(call)).toEqual({ kind: "verified", by: signs ? "signature" : "token" });
      expect(
        verifyWebhook({
          ...call,
          secret: new Secret("other"),
          signingKey: new Secret(`whsec_${randomBytes(32).toString("base64")}`),
        }),
      ).toMatchObject({ kind: "refused" });
      const head = await gitlab.findBranch(id, "main");
      expect(parseWebhook(headers, body)).toMatchObject({
        kind: "push",
        branch: "main",
        projectId: id,
        checkoutSha: head?.commit.sha,
        commitTitle: "New price",
      });

      expect(await gitlab.deleteHook(id, made.id)).toBe(true);
      expect(await gitlab.deleteHook(id, made.id)).toBe(false);
      expect(await gitlab.listHooks(id)).toEqual([]);
    });

    test("a hook that GitLab refuses, and one too many", async () => {
      const settings = {
        url: "http://10.1.2.3/h",
        token: secret,
        signingToken: signingKey,
        name: "fairlead",
      };
      scene.sandbox.settings.allowLocalRequests = false;
      expect((await faultOf(gitlab.createHook(id, settings))).code).toBe("HOOK_URL_REFUSED");
      scene.sandbox.settings.allowLocalRequests = true;
      const limit = scene.sandbox.settings.projectHooksLimit;
      scene.sandbox.settings.projectHooksLimit = 0;
      expect((await faultOf(gitlab.createHook(id, settings))).code).toBe("HOOK_LIMIT_REACHED");
      scene.sandbox.settings.projectHooksLimit = limit;
    });

    test("deploy keys", async () => {
      const made = await gitlab.createDeployKey(id, "fairlead", KEY);
      expect(made).toMatchObject({
        title: "fairlead",
        canPush: false,
        key: KEY.split(" ").slice(0, 2).join(" "),
      });
      expect((await gitlab.createDeployKey(id, "fairlead", KEY)).id).toBe(made.id);
      expect(await gitlab.listDeployKeys(id)).toHaveLength(1);
      expect(await gitlab.deleteDeployKey(id, made.id)).toBe(true);
      expect(await gitlab.deleteDeployKey(id, made.id)).toBe(false);
    });

    test("commit statuses, the same one twice", async () => {
      const sha = (await gitlab.findBranch(id, "main"))?.commit.sha ?? "";
      const status = {
        ref: "main",
        name: "fairlead/production",
        targetUrl: "https://shop.example.com",
        description: "live",
      };
      for (const state of ["pending", "pending", "running", "running", "success"] as const) {
        await gitlab.setCommitStatus(id, sha, { ...status, state });
      }
      const written = [...scene.sandbox.rows.statuses.values()].map((row) => row.state);
      expect(written.at(-1)).toBe("success");
      expect(
        (await faultOf(gitlab.setCommitStatus(id, "0".repeat(40), { ...status, state: "failed" }))).code,
      ).toBe("NOT_FOUND");
    });

    test("a role that is too low, and maintenance", async () => {
      const guest = scene.sandbox.state.createUser({ username: `guest-${version.replaceAll(".", "-")}` });
      scene.sandbox.state.addMember(scene.project, guest, 20);
      await using low = createGitLab({
        baseUrl: scene.sandbox.url,
        token: new Secret(scene.tokenWith({ user: guest })),
      });
      const fault = await faultOf(low.listHooks(id));
      expect(fault).toMatchObject({ code: "INSUFFICIENT_ROLE", evidence: { needs: "Maintainer" } });
      scene.sandbox.faults.maintenance = true;
      const writing = gitlab.createDeployKey(id, "x", KEY);
      expect((await faultOf(writing)).is("GITLAB_UNAVAILABLE", "maintenance")).toBe(true);
      scene.sandbox.faults.maintenance = false;
    });
  },
);

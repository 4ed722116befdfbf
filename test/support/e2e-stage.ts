import { randomBytes } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Client } from "pg";
import { openClone, type DeveloperClone } from "../../src/demo/push.ts";
import { api, type AppAnswer, type DeploymentAnswer } from "../../src/http/contract.ts";
import { waitUntil } from "../../src/kernel/retry.ts";
import { Secret } from "../../src/kernel/secret.ts";
import { createSandbox, type Sandbox } from "../../src/sandbox/sandbox.ts";
import type { CommitStatus, Project } from "../../src/sandbox/state.ts";
import { findRunningDatabase } from "../../src/store/embedded/running.ts";
import { askApp } from "./asking.ts";
import { startFairlead, type Fairlead } from "./fairlead.ts";
import { gatedApp, openGates, type Gates } from "./gates.ts";

/** The whole product on real parts: a sandbox GitLab with a project, Fairlead as processes, a developer's clone, and gates in the app. */
export interface E2eStage extends AsyncDisposable {
  /** Everything but Fairlead's own data. */
  readonly folder: string;
  readonly sandbox: Sandbox;
  readonly fairlead: Fairlead;
  readonly gates: Gates;
  readonly gitlabToken: Secret;
  readonly project: Project;
  readonly clone: DeveloperClone;
  readonly host: string;
  /** Connects and links; the app is called `shop`. */
  link(): Promise<AppAnswer>;
  /** Commits a version of the gated app, with more files if given, and pushes it: its deployment as soon as there is one. */
  readonly push: (version: string, more?: Readonly<Record<string, string>>) => Promise<DeploymentAnswer>;
  pushLive(version: string, more?: Readonly<Record<string, string>>): Promise<DeploymentAnswer>;
  /** Throws with what the server printed when the deployment ends otherwise, or not within `seconds` (90). */
  waitForLive(deploymentId: string, seconds?: number): Promise<DeploymentAnswer>;
  waitForState(deploymentId: string, state: string): Promise<void>;
  /** What the app answers through the edge. */
  readonly ask: (path?: string) => Promise<string>;
  /** The status of a commit in GitLab, once it is `state`. */
  waitForStatus(commit: string, state: string): Promise<CommitStatus>;
  /** A connection of the test's own to the embedded database. Ended by `end()`, or with the server. */
  database(): Promise<Client>;
}

export const APP = "shop";

export async function openStage(
  options: { env?: Record<string, string>; version?: string } = {},
): Promise<E2eStage> {
  await using undo = new AsyncDisposableStack();
  const folder = await mkdtemp(join(tmpdir(), "fairlead-e2e-gitlab-"));
  undo.defer(() => rm(folder, { recursive: true, force: true, maxRetries: 5 }));
  const path = process.env["PATH"] ?? "";
  const sandbox = undo.use(
    await createSandbox({
      version: options.version ?? "19.0.0",
      dataDir: join(folder, "gitlab"),
      searchPath: path,
    }),
  );
  const user = sandbox.state.createUser({ username: "ada", name: "Ada" });
  const gitlabToken = new Secret(
    sandbox.state.createToken({ user, name: "fairlead", scopes: ["api"] }).value,
  );
  const project = await sandbox.state.createProject({ path: `acme/${APP}`, owner: user });
  const gates = undo.use(await openGates());
  const fairlead = undo.use(await startFairlead(options.env ? { env: options.env } : {}));
  const ending = new AbortController();
  undo.defer(() => ending.abort(new Error("the test has ended")));
  const clone = await openClone({
    folder: join(folder, "clone"),
    url: `${sandbox.url}/${project.fullPath}.git`,
    token: gitlabToken,
    path,
    signal: ending.signal,
  });
  const release = undo.move();
  return { ...parts(), [Symbol.asyncDispose]: () => release.disposeAsync() };

  function parts(): Omit<E2eStage, typeof Symbol.asyncDispose> {
    const host = `${APP}.localhost`;
    const push: E2eStage["push"] = async (version, more = {}) =>
      fairlead.findDeployment(
        APP,
        await clone.push({ ...gatedApp(gates.url, version), ...more }, `Version ${version}`),
      );
    const waitForLive: E2eStage["waitForLive"] = async (id, seconds) => {
      const ended = await fairlead.waitForEnd(id, seconds);
      if (ended.state === "live") return ended;
      throw new Error(`it ended as ${ended.state}: ${ended.fault?.message}\n${fairlead.output()}`);
    };
    return {
      folder,
      sandbox,
      fairlead,
      gates,
      gitlabToken,
      project,
      clone,
      host,
      push,
      async link() {
        await fairlead.client.call(api.connect, {
          body: { url: sandbox.url, token: gitlabToken.reveal(), name: "box" },
        });
        return fairlead.client.call(api.link, {
          body: { connection: "box", project: project.fullPath, branch: "main" },
        });
      },
      waitForLive,
      pushLive: async (version, more) => waitForLive((await push(version, more)).id),
      waitForState: async (deployment, state) =>
        void (await waitUntil(
          async () =>
            (await fairlead.client.call(api.getDeployment, { params: { deployment } })).state === state,
          { everyMs: 20, signal: AbortSignal.timeout(60_000) },
        )),
      ask: (at = "/") => askApp(fairlead.edge, host, { path: at, timeoutMs: 120_000 }),
      waitForStatus: (commit, state) => waitForStatus(sandbox, commit, state),
      database: () => openDatabase(fairlead.dataDir),
    };
  }
}

async function waitForStatus(sandbox: Sandbox, commit: string, state: string): Promise<CommitStatus> {
  const find = (): CommitStatus | undefined =>
    [...sandbox.rows.statuses.values()].findLast((status) => status.sha === commit);
  const signal = AbortSignal.timeout(30_000);
  return waitUntil(() => (find()?.state === state ? find() : null), { everyMs: 50, signal }).catch(
    (error: unknown) => {
      throw new Error(`GitLab was told ${find()?.state ?? "nothing"}, not ${state}`, { cause: error });
    },
  );
}

async function openDatabase(dataDir: string): Promise<Client> {
  const connectionString = await findRunningDatabase(dataDir);
  if (connectionString === null) throw new Error("no database runs");
  const client = new Client({ connectionString });
  client.on("error", () => {}); // it goes with the server that a test kills
  await client.connect();
  return client;
}

/** A file that makes a fetch slow once the sandbox throttles git: nothing about it can be compressed. */
export function ballast(kilobytes: number): Record<string, string> {
  return { "ballast.txt": randomBytes(kilobytes * 512).toString("hex") };
}

import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Secret } from "../kernel/secret.ts";
import { createSandbox, type Sandbox } from "../sandbox/sandbox.ts";

/** A running Fairlead, as `main.ts` starts it for the demonstration. */
export interface DemoServer {
  readonly apiUrl: string;
  readonly apiToken: Secret;
  readonly edge: { readonly host: string; readonly port: number };
  stop(everything: boolean): Promise<void>;
}

export interface DemoWorld extends AsyncDisposable {
  readonly folder: string;
  readonly sandbox: Sandbox;
  readonly gitlabToken: Secret;
  readonly projectId: number;
  readonly cloneUrl: string;
}

/** A sandbox GitLab with a person, a token and an empty project, and a temporary folder for everything. Removed when disposed. */
export async function openWorld(searchPath: string): Promise<DemoWorld> {
  await using undo = new AsyncDisposableStack();
  const folder = await mkdtemp(join(tmpdir(), "fairlead-demo-"));
  undo.defer(() => rm(folder, { recursive: true, force: true, maxRetries: 5 }));
  const sandbox = undo.use(
    await createSandbox({ version: "19.0.0", dataDir: join(folder, "gitlab"), searchPath }),
  );
  const user = sandbox.state.createUser({ username: "ada", name: "Ada" });
  const token = sandbox.state.createToken({ user, name: "fairlead", scopes: ["api"] });
  const project = await sandbox.state.createProject({ path: "acme/hello", owner: user });
  const release = undo.move();
  return {
    folder,
    sandbox,
    gitlabToken: new Secret(token.value),
    projectId: project.id,
    cloneUrl: `${sandbox.url}/${project.fullPath}.git`,
    [Symbol.asyncDispose]: () => release.disposeAsync(),
  };
}

/** A port that was free a moment ago: the webhook's address must be known before the server listens. */
export async function findFreePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(0, "127.0.0.1", resolve);
  });
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === "string") throw new Error("no free port was found");
  return address.port;
}

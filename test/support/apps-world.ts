import { onTestFinished } from "vitest";
import { createTestStore } from "./database.ts";
import { checked } from "./checked.ts";
import { createMemoryGitLab, type MemoryGitLab } from "./memory-gitlab.ts";
import { createPlainVault } from "./plain-vault.ts";
import { createConnections } from "../../src/connections/open.ts";
import { Secret } from "../../src/kernel/secret.ts";
import type { Store } from "../../src/store/store.ts";
import { silentLogger } from "../../src/telemetry/log.ts";
import type { AppsDeps } from "../../src/apps/deps.ts";
import { createApps } from "../../src/apps/open.ts";

const PUBLIC = "http://127.0.0.1:8080";

/** Connections and apps on a real database with a GitLab in memory, one project with a commit on main. */
export interface World {
  readonly store: Store;
  readonly gitlab: MemoryGitLab;
  readonly apps: ReturnType<typeof createApps>;
  readonly deps: AppsDeps;
  readonly tornDown: string[];
  /** `<connection>/<project>` of the repositories whose copies were removed. */
  readonly forgotten: string[];
  readonly deployed: string[];
}

export async function setUpApps(overrides: Partial<AppsDeps> = {}): Promise<World> {
  const store = await createTestStore();
  onTestFinished(() => store[Symbol.asyncDispose]());
  const gitlab = createMemoryGitLab();
  gitlab.push("main", "a".repeat(40));
  const tornDown: string[] = [];
  const forgotten: string[] = [];
  const deployed: string[] = [];
  const vault = createPlainVault();
  const connections = createConnections({
    store,
    vault,
    createGitLab: () => gitlab.client,
    log: silentLogger,
    checkConnection: async () => checked({ baseUrl: gitlab.client.baseUrl, webUrl: gitlab.client.baseUrl }),
  });
  await connections.connect({ url: gitlab.client.baseUrl, token: new Secret("glpat-1"), name: "work" });
  const deps: AppsDeps = {
    store,
    vault,
    connections,
    publicUrl: PUBLIC,
    appsDomain: "localhost",
    publicAppUrl: (host) => `http://${host}:8081`,
    teardown: async (id) => void tornDown.push(id),
    forgetSource: async (connection, project) => void forgotten.push(`${connection}/${project}`),
    onLinked: async (id) => void deployed.push(id),
    log: silentLogger,
    ...overrides,
  };
  return { store, gitlab, apps: createApps(deps), deps, tornDown, forgotten, deployed };
}

export const request = { connection: "work", project: "acme/shop" };
/** How many rows there are of what a link writes. */
export const rows = async ({ store }: World): Promise<Record<string, number>> => ({
  apps: (await store.db.selectFrom("app").select("id").execute()).length,
  linked: (await store.db.selectFrom("linked_project").select("id").execute()).length,
  environments: (await store.db.selectFrom("environment").select("id").execute()).length,
});
export const nothing = { apps: 0, linked: 0, environments: 0 };

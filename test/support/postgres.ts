import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestProject } from "vitest/node";
import { Fault } from "../../src/faults/fault.ts";
import { startEmbedded } from "../../src/store/embedded/supervise.ts";
import { openStore } from "../../src/store/open.ts";
import { createDatabase, databaseAddress, dropDatabase } from "./postgres-databases.ts";

declare module "vitest" {
  interface ProvidedContext {
    /** Of a server on which databases may be made, and of a migrated database in it to clone; or why there is none. */
    postgres: { readonly address: string; readonly template: string } | { readonly missing: string };
  }
}

/** One PostgreSQL for a whole run, with one migrated database that each test clones. The given server of TEST_DATABASE_URL, or an embedded one. */
export async function setup(project: TestProject): Promise<() => Promise<void>> {
  await using undo = new AsyncDisposableStack();
  try {
    const address = process.env.TEST_DATABASE_URL ?? (await startTemporary(undo));
    const template = await createDatabase(address);
    undo.defer(() => dropDatabase(address, template));
    await (await openStore({ connectionString: databaseAddress(address, template) }))[Symbol.asyncDispose]();
    project.provide("postgres", { address, template });
  } catch (error) {
    if (!(error instanceof Fault) || process.platform === "linux") throw error;
    console.warn(`tests with a database are skipped: ${error.message}`);
    project.provide("postgres", { missing: error.message });
  }
  const release = undo.move();
  return () => release.disposeAsync();
}

/** Without fsync: these rows need not survive the machine. PostgreSQL ends with this process, however that ends. */
async function startTemporary(undo: AsyncDisposableStack): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "fairlead-test-pg-"));
  undo.defer(() => rm(folder, { recursive: true, force: true }));
  const settings = {
    fsync: "off",
    full_page_writes: "off",
    synchronous_commit: "off",
    max_connections: "200",
  };
  return undo.use(await startEmbedded({ dataFolder: folder, settings })).connectionString;
}

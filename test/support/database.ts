import { inject, TestRunner } from "vitest";
import { openStore } from "../../src/store/open.ts";
import type { Store } from "../../src/store/store.ts";
import { createDatabase, databaseAddress, dropDatabase } from "./postgres-databases.ts";

/** A database of its own. Dropped with whatever is still connected to it when disposed. */
export interface TestDatabase extends AsyncDisposable {
  readonly connectionString: string;
}

/**
 * A fresh, migrated store: a clone (about 50 ms) that no other test sees. Skips the running test, with the reason, where there is no
 * PostgreSQL.
 */
export async function createTestStore(): Promise<Store> {
  const database = await createTestDatabase();
  const store = await openStore({ connectionString: database.connectionString, maxConnections: 8 });
  return {
    ...store,
    [Symbol.asyncDispose]: async () => {
      await store[Symbol.asyncDispose]();
      await database[Symbol.asyncDispose]();
    },
  };
}

/** Like `createTestStore`, for tests that open it themselves, more than once, or want it `empty` (no tables). */
export async function createTestDatabase(kind: "migrated" | "empty" = "migrated"): Promise<TestDatabase> {
  const server = inject("postgres");
  if ("missing" in server) {
    TestRunner.getCurrentTest()?.context.skip(server.missing);
    throw new Error(server.missing);
  }
  const name = await createDatabase(server.address, kind === "empty" ? undefined : server.template);
  return {
    connectionString: databaseAddress(server.address, name),
    [Symbol.asyncDispose]: () => dropDatabase(server.address, name),
  };
}

import { defineConfig } from "vitest/config";
import { SuiteReporter } from "./test/support/reporter.ts";

/**
 * unit: no process, no socket, no database. integration: one part against real parts. e2e: the whole product.
 * Workers are processes, not threads: tests change uid, send signals and count open handles.
 */
export default defineConfig({
  test: {
    pool: "forks",
    maxWorkers: 3, // on two cores too: most of the time is spent waiting for real parts
    reporters: ["default", new SuiteReporter()],
    testTimeout: 30_000,
    hookTimeout: 60_000,
    projects: [
      {
        test: {
          name: "unit",
          include: ["src/**/*.test.ts", "test/*.test.ts"],
          exclude: ["**/*.integration.test.ts"],
        },
      },
      {
        test: {
          name: "integration",
          include: ["src/**/*.integration.test.ts", "test/**/*.integration.test.ts"],
          exclude: ["src/runtimes/**"],
          globalSetup: ["test/support/postgres.ts"],
          testTimeout: 60_000,
        },
      },
      {
        // One file after another, after all others: a sandbox by user id ends every process of that user, whoever started it.
        test: {
          name: "runtimes",
          include: ["src/runtimes/**/*.integration.test.ts"],
          testTimeout: 60_000,
          maxWorkers: 1,
          sequence: { groupOrder: 1 },
        },
      },
      {
        test: { name: "e2e", include: ["test/e2e/**/*.test.ts"], testTimeout: 240_000, hookTimeout: 120_000 },
      },
    ],
  },
});

import type { Reporter, TestModule } from "vitest/node";

/**
 * After the run: each suite's time, every skipped test with its reason, and one plain closing line. With FAIRLEAD_FULL set a skipped
 * test is a failure: the full run has everything installed.
 */
export class SuiteReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[]): void {
    const suites = Map.groupBy(modules, (module) => module.project.name);
    for (const [name, files] of suites) {
      const seconds = files.reduce((sum, file) => sum + file.diagnostic().duration, 0) / 1000;
      console.log(`suite ${name}: ${files.length} files, ${seconds.toFixed(1)} s of tests`);
    }
    const tests = modules.flatMap((module) => [...module.children.allTests()]);
    const skipped = tests.filter((test) => test.result().state === "skipped");
    for (const test of skipped) {
      const result = test.result();
      const note = "note" in result ? result.note : undefined;
      console.log(
        `skipped: ${test.module.relativeModuleId} > ${test.fullName}: ${note ?? "no reason given"}`,
      );
    }
    const failed = tests.filter((test) => test.result().state === "failed").length;
    console.log(
      `tests: ${tests.length - failed - skipped.length} passed, ${failed} failed, ${skipped.length} skipped`,
    );
    if (process.env["FAIRLEAD_FULL"] && skipped.length > 0) process.exitCode = 1;
  }
}

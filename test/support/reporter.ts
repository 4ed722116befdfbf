import type { Reporter, TestCase, TestModule } from "vitest/node";

/** What root cannot test: the full run does those as an ordinary user, in a run of their own. */
const NOT_AS_ROOT = "root has all rights";

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
    const notes = skipped.map((test) => noteOf(test));
    for (const [index, test] of skipped.entries()) {
      const note = notes[index];
      console.log(
        `skipped: ${test.module.relativeModuleId} > ${test.fullName}: ${note ?? "no reason given"}`,
      );
    }
    const failed = tests.filter((test) => test.result().state === "failed").length;
    console.log(
      `tests: ${tests.length - failed - skipped.length} passed, ${failed} failed, ${skipped.length} skipped`,
    );
    const unexpected = notes.some((note) => note !== NOT_AS_ROOT);
    if (process.env["FAIRLEAD_FULL"] && unexpected) {
      console.log("A skipped test fails the full run: see above for what is missing.");
      process.exitCode = 1;
    }
  }
}

function noteOf(test: TestCase): string | undefined {
  const result = test.result();
  return "note" in result ? result.note : undefined;
}

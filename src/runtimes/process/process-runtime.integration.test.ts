import { describe } from "vitest";
import { describeRuntime } from "../runtime.suite.ts";
import { METHODS, openProcessRuntime, whyNot } from "./process-world.suite.ts";

for (const method of METHODS) {
  const reason = whyNot(method);
  describe.skipIf(reason !== null)(`by ${method}${reason === null ? "" : `: skipped, ${reason}`}`, () => {
    describeRuntime(`processes by ${method}`, async () => openProcessRuntime(method));
  });
}

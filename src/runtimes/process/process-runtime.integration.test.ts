import { describe } from "vitest";
import { describeRuntime } from "../runtime.suite.ts";
import { drawMethods, openProcessRuntime, whyNot } from "./process-world.suite.ts";

for (const method of drawMethods()) {
  const reason = whyNot(method);
  describe.skipIf(reason !== null)(`by ${method}${reason === null ? "" : `: skipped, ${reason}`}`, () => {
    describeRuntime(`processes by ${method}`, async () => openProcessRuntime(method));
  });
}

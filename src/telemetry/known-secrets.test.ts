import { expect, test } from "vitest";
import { Secret } from "../kernel/secret.ts";
import { createKnownSecrets } from "./known-secrets.ts";
import { createLogger } from "./log.ts";

test("a secret learnt while the log is in use is cut out from then on, in its usual encodings", () => {
  const lines: string[] = [];
  const known = createKnownSecrets();
  const stream = { write: (line: string) => lines.push(line) };
  const log = createLogger({ level: "info", redact: (text) => known.redact(text), stream });
  log.info({ a: "glpat-1/x'y\"z+0" }, "before");
  known.learn(new Secret("glpat-1/x'y\"z+0"));
  known.learn(new Secret("glpat-1/x'y\"z+0"));
  const forms = [
    "glpat-1/x'y\"z+0",
    encodeURIComponent("glpat-1/x'y\"z+0"),
    Buffer.from("oauth2:glpat-1/x'y\"z+0").toString("base64"),
  ];
  for (const form of forms) log.info({ deep: [{ form }] }, `message ${form}`);
  expect(lines[0]).toContain("glpat-1");
  for (const line of lines.slice(1)) {
    expect(line).not.toMatch(/glpat-1|Z2xwYXQtMS94/);
    expect(JSON.parse(line)).toHaveProperty("msg");
  }
});

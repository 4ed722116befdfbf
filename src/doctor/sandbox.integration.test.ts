import { expect, test } from "vitest";
import { Secret } from "../kernel/secret.ts";
import { openScene } from "../sandbox/scene.suite.ts";
import { checkConnection } from "./check.ts";

test.each(["10.5.0", "12.7.2", "13.12.0", "15.0.0", "15.3.0", "15.5.0", "18.9.0", "19.1.0"])(
  "a sandbox of %s: a good token, a wrong one, one that only reads",
  async (version) => {
    await using scene = await openScene({ version });
    const { url } = scene.sandbox;
    const good = await checkConnection({ url, token: new Secret(scene.token) });
    expect(good.diagnosis.error).toBeNull();
    expect(good.found).toMatchObject({
      version,
      webUrl: url,
      user: { username: "ann" },
      token: { kind: "personal", scopes: ["api"] },
    });

    const wrong = await checkConnection({ url, token: new Secret("glpat-nobodyknowsthisone") });
    expect(wrong.diagnosis.error).toMatchObject({ code: "AUTH_FAILED", reason: "unknown_token" });

    const reading = await checkConnection({
      url,
      token: new Secret(scene.tokenWith({ scopes: ["read_api"] })),
    });
    expect(reading.diagnosis.error).toMatchObject({ code: "INSUFFICIENT_SCOPES", reason: "missing_api" });
    expect(scene.sandbox.rows.projects.size).toBe(1);
  },
);

test.each([
  ["blocked", "ACCOUNT_UNUSABLE blocked"],
  ["deactivated", "ACCOUNT_UNUSABLE deactivated"],
] as const)("a %s user", async (condition, error) => {
  await using scene = await openScene();
  const user = scene.sandbox.state.createUser({ username: "eve", condition });
  const token = new Secret(scene.tokenWith({ user }));
  const { diagnosis } = await checkConnection({ url: scene.sandbox.url, token });
  expect(`${diagnosis.error?.code} ${diagnosis.error?.reason}`).toBe(error);
});

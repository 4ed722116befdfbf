import { describe, expect, test } from "vitest";
import { createState, type Hook, type State } from "../state.ts";
import { parseVersion } from "../versions.ts";
import { alertStatus, disablesFailing, noteOutcome } from "./failures.ts";

const MINUTE = 60_000;

function scene(version: string, on: boolean | null = true) {
  const time = { now: 1_800_000_000_000 };
  const state: State = createState({ now: () => time.now });
  state.settings.autoDisableWebhooks = on;
  const parsed = parseVersion(version);
  const hook = {
    id: 1,
    recentFailures: 0,
    backoffCount: 0,
    disabledUntil: null,
    disabledForGood: false,
  } as unknown as Hook;
  return {
    hook,
    time,
    fail: (status: number | "internal error", times = 1) => {
      for (let n = 0; n < times; n++) noteOutcome(state, parsed, hook, status);
    },
    status: () => alertStatus(state, parsed, hook),
    minutes: () => ((hook.disabledUntil ?? 0) - time.now) / MINUTE,
  };
}

test.each([
  ["15.6.0", false],
  ["15.7.0", true],
  ["15.9.9", true],
  ["15.10.0", false],
  ["18.9.0", false],
])("%s sets failing hooks aside by default: %s", (version, expected) => {
  const { settings } = createState({ now: () => 0 });
  expect(disablesFailing(settings, parseVersion(version))).toBe(expected);
});

describe("since 17.11 all failures are alike", () => {
  test.each([404, 500, "internal error"] as const)("%s: aside from the fourth on, doubling", (status) => {
    const one = scene("17.11.0");
    one.fail(status, 3);
    expect(one.status()).toBe("executable");
    one.fail(status);
    expect([one.status(), one.minutes()]).toEqual(["temporarily_disabled", 1]);
    one.fail(status);
    expect(one.minutes()).toBe(2);
    one.time.now += 2 * MINUTE;
    expect(one.status()).toBe("executable");
  });

  test("at most a day, and for good from the fortieth on", () => {
    const one = scene("18.9.0");
    one.fail(500, 39);
    expect([one.status(), one.minutes()]).toEqual(["temporarily_disabled", 24 * 60]);
    one.fail(500);
    one.time.now += 48 * 60 * MINUTE;
    expect(one.status()).toBe("disabled");
    one.fail(200);
    expect([one.status(), one.hook.recentFailures]).toEqual(["executable", 0]);
  });
});

describe("before 17.11", () => {
  test("a client error is for good from the fourth on", () => {
    const one = scene("16.0.0");
    one.fail(404, 3);
    expect(one.status()).toBe("executable");
    one.fail(404);
    expect(one.status()).toBe("disabled");
  });

  test.each([
    ["15.9.0", 10],
    ["16.0.0", 1],
  ])("%s: a server error sets it aside for %d minutes", (version, minutes) => {
    const one = scene(version);
    one.fail(503, 4);
    expect([one.status(), one.minutes()]).toEqual(["temporarily_disabled", minutes]);
    one.fail(200);
    expect(one.status()).toBe("executable");
  });
});

test("where the flag is off nothing is counted", () => {
  const one = scene("18.9.0", false);
  one.fail(500, 50);
  expect([one.status(), one.hook.recentFailures]).toEqual(["executable", 0]);
});

test("redirects that were not followed further count as success", () => {
  const one = scene("18.9.0");
  one.fail(500, 3);
  one.fail(304);
  expect(one.hook.recentFailures).toBe(0);
});

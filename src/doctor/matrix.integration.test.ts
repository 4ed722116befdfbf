import { afterAll, expect, test } from "vitest";
import { sample } from "../../test/support/sample.ts";
import { Secret } from "../kernel/secret.ts";
import { openScene, type Scene } from "../sandbox/scene.suite.ts";
import { checkConnection } from "./check.ts";
import { putBack, SITUATIONS } from "./matrix-cells.suite.ts";
import { at, type Situation } from "./matrix-situation.suite.ts";

const VERSIONS = [
  "10.5.0",
  "12.7.2",
  "13.12.0",
  "14.4.0",
  "15.2.0",
  "15.5.0",
  "16.3.0",
  "17.1.0",
  "18.9.0",
  "19.2.0",
];

class Cell {
  readonly version: string;
  readonly situation: Situation;

  constructor(version: string, situation: Situation) {
    this.version = version;
    this.situation = situation;
  }

  get expected(): string {
    const { expected } = this.situation;
    return typeof expected === "string" ? expected : expected(at(this.version));
  }

  toString(): string {
    return `${this.version}, ${this.situation.name}`;
  }
}

const CELLS = SITUATIONS.flatMap((situation) =>
  VERSIONS.filter((version) => {
    const now = at(version);
    const { since = "0.0", before = "99.0" } = situation;
    return now >= at(since) && now < at(before);
  }).map((version) => new Cell(version, situation)),
);

const scenes = new Map<string, Promise<Scene>>();
afterAll(async () => {
  for (const scene of scenes.values()) await (await scene)[Symbol.asyncDispose]();
});

function sceneOf(version: string): Promise<Scene> {
  const known = scenes.get(version) ?? openScene({ version });
  scenes.set(version, known);
  return known;
}

test("there are at least 300 cells", () => expect(CELLS.length).toBeGreaterThanOrEqual(300));

let number = 0;

test.each(sample("matrix of the doctor", CELLS, 40).map((cell) => [String(cell), cell] as const))(
  "%s",
  { timeout: 60_000 },
  async (_, { version, situation, expected }) => {
    const scene = await sceneOf(version);
    try {
      const token = await situation.prepare(scene, `user-${++number}`);
      const { project } = situation;
      const { diagnosis } = await checkConnection({
        url: scene.sandbox.url,
        token: new Secret(token),
        projects: project === undefined ? [] : [{ project, seen: null }],
      });
      const { error } = diagnosis;
      expect(error === null ? "ok" : `${error.code} ${error.reason}`.trim()).toBe(expected);
      expect(diagnosis.ok).toBe(expected === "ok");
      expect(JSON.stringify(diagnosis)).not.toContain(token);
      const broken = diagnosis.checks.filter(({ state }) => state === "fail");
      expect(broken.length > 0).toBe(expected !== "ok");
      expect(broken.filter(({ fix }) => fix === null || fix === "")).toEqual([]);
    } finally {
      putBack(scene);
    }
  },
);

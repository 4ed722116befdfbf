import { initialKnobs } from "../sandbox/control/knobs.ts";
import type { Scene } from "../sandbox/scene.suite.ts";
import { NETWORK } from "./matrix-network.suite.ts";
import { GRANULAR, PROJECTS } from "./matrix-projects.suite.ts";
import type { Situation } from "./matrix-situation.suite.ts";
import { ACCOUNTS, TOKENS } from "./matrix-tokens.suite.ts";

export const SITUATIONS: readonly Situation[] = [
  ...TOKENS,
  ...ACCOUNTS,
  ...NETWORK,
  ...PROJECTS,
  ...GRANULAR,
];

/** As the sandbox was at its start. */
export function putBack({ sandbox, project }: Scene): void {
  const fresh = initialKnobs();
  Object.assign(sandbox.faults, fresh.faults);
  Object.assign(sandbox.settings, fresh.settings);
  Object.assign(project, { archived: false, repositoryEnabled: true });
}

import { LEVEL } from "../access.ts";
import { integer } from "../params.ts";
import { recordNotFound } from "../reply.ts";
import type { Call } from "../route.ts";
import type { Hook, Project } from "../state.ts";
import { getProjectAs } from "./find-project.ts";

/** Parameters of every route below one hook. */
export const hookPath = { hook_id: integer };

/** Hooks are for Maintainers, and GitLab says so before it looks at a parameter. */
export function hookProject(call: Call): Project {
  return getProjectAs(call, LEVEL.maintainer);
}

export function beforeHooks(call: Call): void {
  hookProject(call);
}

export function getHook(call: Call, id: number): Hook {
  const hook = call.box.state.hooks.get(id);
  if (!hook || hook.projectId !== hookProject(call).id) throw recordNotFound();
  return hook;
}

export function hooksOf(call: Call): Hook[] {
  const project = hookProject(call);
  return [...call.box.state.hooks.values()].filter((hook) => hook.projectId === project.id);
}

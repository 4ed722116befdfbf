import { notFound, refuse, refuseAsError, type Refusal } from "../reply.ts";
import type { Version } from "../versions.ts";

/** A field of the model and what is wrong with it. */
export type HookProblem = readonly [field: string, words: string];

/** The answer to a hook that cannot be saved; its form changed with the versions (§7.4). */
export function refuseHook(version: Version, verb: "create" | "update", problem: HookProblem): Refusal {
  const [field, words] = problem;
  if (field === "url") return refuseAsError(422, "Invalid url given");
  if (field === "push_events_branch_filter") return refuseAsError(422, "Invalid branch filter given");
  if (!version.has("hookErrorsAreUnprocessable")) {
    return notFound(`Project hook {:${field}=>[${JSON.stringify(words)}]}`);
  }
  if (field === "custom_headers" && verb === "update") {
    return refuseAsError(422, "Custom headers validation failed");
  }
  if (verb === "update" || !version.has("hookErrorsAsSentence")) {
    return refuse(422, { [field]: [words] });
  }
  const name = field.replaceAll("_", " ").replace(/^./, (first) => first.toUpperCase());
  return refuseAsError(422, field === "base" ? words : `${name} ${words}`);
}

import { z } from "zod";
import { flag, keyValues, oneOf, text, validate } from "../params.ts";
import type { Call } from "../route.ts";
import { HOOK_EVENTS, type HookEvent } from "../state.ts";
import type { Feature, Version } from "../versions.ts";

/** Events that hooks did not always know (§7.2). */
const EVENT_SINCE: Partial<Record<HookEvent, Feature>> = {
  deployment_events: "hookDeploymentAndReleaseEvents",
  releases_events: "hookDeploymentAndReleaseEvents",
  emoji_events: "hookEmojiEvents",
  resource_access_token_events: "hookTokenEvents",
  feature_flag_events: "hookFeatureFlagEvents",
  vulnerability_events: "hookVulnerabilityEvents",
  milestone_events: "hookMilestoneEvents",
  resource_deploy_token_events: "hookDeployTokenEvents",
};

/** The events of this version, in GitLab's order. */
export function hookEvents(version: Version): HookEvent[] {
  return HOOK_EVENTS.filter((event) => {
    const since = EVENT_SINCE[event];
    return since === undefined || version.has(since);
  });
}

const FIELD_SINCE: Readonly<Record<string, Feature>> = {
  push_events_branch_filter: "hookBranchFilter",
  url_variables: "hookUrlVariables",
  custom_webhook_template: "hookTemplate",
  name: "hookName",
  description: "hookName",
  custom_headers: "hookCustomHeaders",
  branch_filter_strategy: "hookBranchFilterStrategy",
  signing_token: "hookSigningToken",
};

const own = z.object({
  url: text.optional(),
  name: text.optional(),
  description: text.optional(),
  enable_ssl_verification: flag.optional(),
  token: text.optional(),
  signing_token: text.optional(),
  push_events_branch_filter: text.optional(),
  branch_filter_strategy: oneOf(["wildcard", "regex", "all_branches"]).optional(),
  custom_webhook_template: text.optional(),
  custom_headers: keyValues.optional(),
  url_variables: keyValues.optional(),
});

export type HookInput = z.output<typeof own> & {
  /** Only those that were named. */
  readonly events: ReadonlyMap<HookEvent, boolean>;
};

/** Reads the parameters of a hook. What this version does not know is ignored, however wrong it is. Throws 400. */
export function readHookInput(call: Call, verb: "create" | "update"): HookInput {
  const { version } = call.box;
  const known = (name: string): boolean => {
    const since = FIELD_SINCE[name];
    return since === undefined || version.has(since);
  };
  const given = Object.fromEntries(Object.entries(call.input).filter(([name]) => known(name)));
  const needsUrl = verb === "create" || !version.has("hookUrlOptionalOnUpdate");
  const shape = needsUrl ? { ...own.shape, url: text } : own.shape;
  const events = hookEvents(version);
  const flags = Object.fromEntries(events.map((event) => [event, flag.optional()]));
  const values: Record<string, unknown> = validate({ ...shape, ...flags }, given, []);
  const named = events.flatMap((event): [HookEvent, boolean][] => {
    const value = values[event];
    return typeof value === "boolean" ? [[event, value]] : [];
  });
  return { ...own.parse(values), events: new Map(named) };
}

export function isEmpty(given: HookInput): boolean {
  const named = Object.entries(given).filter(([name, value]) => name !== "events" && value !== undefined);
  return named.length === 0 && given.events.size === 0;
}

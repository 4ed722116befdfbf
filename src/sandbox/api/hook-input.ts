import type { z } from "zod";
import type { Box } from "../box.ts";
import { flag, keyValues, oneOf, text } from "../params.ts";
import { refuse, refuseAsError } from "../reply.ts";
import { HOOK_EVENTS, type Hook, type HookEvent } from "../state.ts";
import type { Version } from "../versions.ts";
import { parseFilterPattern } from "../webhooks/branch-filter.ts";
import { signingKey } from "../webhooks/signing.ts";
import { blockedReason } from "../webhooks/url-blocker.ts";

const optionalFlag = flag.optional();

export const hookFields = {
  url: text.optional(),
  name: text.optional(),
  description: text.optional(),
  push_events: optionalFlag,
  tag_push_events: optionalFlag,
  merge_requests_events: optionalFlag,
  issues_events: optionalFlag,
  confidential_issues_events: optionalFlag,
  note_events: optionalFlag,
  confidential_note_events: optionalFlag,
  job_events: optionalFlag,
  pipeline_events: optionalFlag,
  wiki_page_events: optionalFlag,
  deployment_events: optionalFlag,
  feature_flag_events: optionalFlag,
  releases_events: optionalFlag,
  milestone_events: optionalFlag,
  emoji_events: optionalFlag,
  resource_access_token_events: optionalFlag,
  vulnerability_events: optionalFlag,
  enable_ssl_verification: optionalFlag,
  token: text.optional(),
  signing_token: text.optional(),
  push_events_branch_filter: text.optional(),
  branch_filter_strategy: oneOf(["wildcard", "regex", "all_branches"]).optional(),
  custom_webhook_template: text.optional(),
  custom_headers: keyValues.optional(),
  url_variables: keyValues.optional(),
};

export type HookInput = z.output<z.ZodObject<typeof hookFields>>;

/** What GitLab's model has against a hook, in the order and the words of `save_hook`. Throws refusals. */
export async function checkHook(
  box: Pick<Box, "state" | "version">,
  given: HookInput,
  verb: "create" | "update",
): Promise<void> {
  if (given.url !== undefined) await checkUrl(box, given.url);
  const filter = given.push_events_branch_filter;
  if (filter !== undefined && !isFilter(filter, given.branch_filter_strategy)) {
    throw refuseAsError(422, "Invalid branch filter given");
  }
  if (given.custom_headers && !given.custom_headers.every(isHeader)) {
    const words = verb === "create" ? "must be a valid json schema" : "validation failed";
    throw refuseAsError(422, `Custom headers ${words}`);
  }
  const problem = problemOf(box.version, given);
  if (!problem) return;
  const [field, words] = problem;
  const sentence = `${field.replaceAll("_", " ").replace(/^./, (first) => first.toUpperCase())} ${words}`;
  throw verb === "create" ? refuseAsError(422, sentence) : refuse(422, { [field]: [words] });
}

/** Blocked or malformed, GitLab does not say which. */
async function checkUrl(box: Pick<Box, "state">, url: string): Promise<void> {
  const clean = !/[\s\0]/.test(url) && url.length <= 2048;
  if (clean && (await blockedReason(url, box.state.settings.allowLocalRequests)) === null) return;
  throw refuseAsError(422, "Invalid url given");
}

function isFilter(filter: string, strategy: string | undefined): boolean {
  if (strategy === "regex") return parseFilterPattern(filter) !== null;
  // oxlint-disable-next-line no-control-regex -- a ref may hold none of these
  return filter.length <= 5000 && !/[\u0000-\u0020\u007f~^:?[\\]|\.\.|@\{/.test(filter);
}

function isHeader({ key, value }: { readonly key: string; readonly value: string }): boolean {
  const goodKey = /^[A-Za-z]+[0-9]*([._-][A-Za-z0-9]+)*$/.test(key);
  return goodKey && value.length <= 2048 && /^\S(?:[^\r\n]*\S)?$/.test(value);
}

function problemOf(version: Version, given: HookInput): readonly [string, string] | null {
  if (/[\r\n]/.test(given.token ?? "")) return ["token", "is invalid"];
  if ((given.name ?? "").length > 255) return ["name", "is too long (maximum is 255 characters)"];
  if ((given.description ?? "").length > 2048)
    return ["description", "is too long (maximum is 2048 characters)"];
  const signing = given.signing_token;
  if (signing !== undefined && version.has("hookSigningToken") && signingKey(signing) === null) {
    return ["signing_token", "must start with whsec_ followed by 32 base64-encoded bytes"];
  }
  return null;
}

/** The hook after a create or an update. A changed URL drops the token unless it comes along, and the custom headers always. */
export function hookFrom(
  version: Version,
  given: HookInput,
  old: Hook | Pick<Hook, "id" | "projectId" | "createdAt">,
): Hook {
  const was: Hook = "url" in old ? old : { ...FRESH, ...old };
  const moved = "url" in old && given.url !== undefined && given.url !== old.url;
  return {
    ...was,
    url: given.url ?? was.url,
    name: given.name ?? was.name,
    description: given.description ?? was.description,
    events: new Set(HOOK_EVENTS.filter((event) => given[event] ?? was.events.has(event))),
    enableSslVerification: given.enable_ssl_verification ?? was.enableSslVerification,
    customTemplate: given.custom_webhook_template ?? was.customTemplate,
    ...filterFrom(given, was),
    ...secretsFrom(version, given, was, moved),
  };
}

function filterFrom(given: HookInput, was: Hook): Pick<Hook, "branchFilter" | "branchFilterStrategy"> {
  return {
    branchFilter: given.push_events_branch_filter ?? was.branchFilter,
    branchFilterStrategy: given.branch_filter_strategy ?? was.branchFilterStrategy,
  };
}

function secretsFrom(
  version: Version,
  given: HookInput,
  was: Hook,
  moved: boolean,
): Pick<Hook, "token" | "signingToken" | "customHeaders" | "urlVariables"> {
  const kept = moved ? { ...was, token: null, urlVariables: [] } : was;
  const signing = version.has("hookSigningToken") ? given.signing_token : undefined;
  return {
    token: given.token ?? kept.token,
    signingToken: signing ?? kept.signingToken,
    customHeaders: moved ? [] : (given.custom_headers ?? was.customHeaders),
    urlVariables: given.url_variables ?? kept.urlVariables,
  };
}

const PUSH_ONLY: ReadonlySet<HookEvent> = new Set<HookEvent>(["push_events"]);

const FRESH: Omit<Hook, "id" | "projectId" | "createdAt"> = {
  url: "",
  name: null,
  description: null,
  events: PUSH_ONLY,
  enableSslVerification: true,
  branchFilter: "",
  branchFilterStrategy: "wildcard",
  customTemplate: null,
  customHeaders: [],
  urlVariables: [],
  token: null,
  signingToken: null,
  alertStatus: "executable",
  disabledUntil: null,
};

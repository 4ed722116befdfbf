import type { Box } from "../box.ts";
import { isBranchName } from "../names.ts";
import { parseExpression } from "../patterns.ts";
import { HOOK_EVENTS, type Hook, type HookEvent, type KeyValue } from "../state.ts";
import { outboundPolicy } from "../webhooks/policy.ts";
import { signingKey } from "../webhooks/signing.ts";
import { interpolatedUrl, missingVariables } from "../webhooks/template.ts";
import { judgeUrl } from "../webhooks/url-blocker.ts";
import type { HookInput } from "./hook-fields.ts";
import { refuseHook, type HookProblem } from "./hook-refusals.ts";

/** What GitLab's model has against a hook, in the order of `save_hook`. Throws refusals. */
export async function checkHook(box: Box, hook: Hook, verb: "create" | "update"): Promise<void> {
  const problem = (await urlProblem(box, hook)) ?? filterProblem(hook) ?? valueProblem(hook);
  if (problem) throw refuseHook(box.version, verb, problem);
}

/** Blocked or malformed, GitLab does not say which. */
async function urlProblem(box: Box, hook: Hook): Promise<HookProblem | null> {
  const bad: HookProblem = ["url", "is invalid"];
  // oxlint-disable-next-line no-control-regex -- blanks and control characters have no place in a URL
  if (/[\u0000-\u0020]/.test(hook.url) || hook.url.length > 2048) return bad;
  if (missingVariables(hook).length > 0) return bad;
  const verdict = await judgeUrl(interpolatedUrl(hook), outboundPolicy(box, "save"));
  return verdict.blocked === null ? null : bad;
}

function filterProblem({ branchFilter, branchFilterStrategy }: Hook): HookProblem | null {
  if (branchFilter === "" || branchFilterStrategy === "all_branches") return null;
  const good =
    branchFilterStrategy === "regex"
      ? parseExpression(branchFilter) !== null
      : branchFilter.length <= 4000 && isBranchName(branchFilter.replaceAll("*", "x"));
  return good ? null : ["push_events_branch_filter", "is not a valid branch name"];
}

/** Key, and a value of one line without blanks at its ends, nor with breaks in it that somebody might decode. */
export function isHeader({ key, value }: KeyValue): boolean {
  const oneLine = /^\S(?:[^\r\n]*\S)?$/.test(value) && !/%[01][0-9a-f]|%7f|\\[0nrtx]/i.test(value);
  return KEY.test(key) && value.length <= 2048 && oneLine;
}

export function isVariable({ key, value }: KeyValue): boolean {
  return KEY.test(key) && value !== "" && value.length <= 2048;
}

const KEY = /^[A-Za-z]+[0-9]*([._-][A-Za-z0-9]+)*$/;
const MAX_PAIRS = 20;

function valueProblem(hook: Hook): HookProblem | null {
  if (hook.customHeaders.length > MAX_PAIRS || !hook.customHeaders.every(isHeader))
    return ["custom_headers", "must be a valid json schema"];
  if (hook.urlVariables.length > MAX_PAIRS || !hook.urlVariables.every(isVariable))
    return ["url_variables", "must be a valid json schema"];
  if (/[\r\n]/.test(hook.token ?? "")) return ["token", "is invalid"];
  const tooLong = LENGTHS.find(([, text, limit]) => (text(hook) ?? "").length > limit);
  if (tooLong) return [tooLong[0], `is too long (maximum is ${tooLong[2]} characters)`];
  if (hook.signingToken !== null && signingKey(hook.signingToken) === null)
    return ["signing_token", "must start with whsec_ followed by 32 base64-encoded bytes"];
  return null;
}

const LENGTHS: readonly (readonly [field: string, text: (hook: Hook) => string | null, limit: number])[] = [
  ["name", (hook) => hook.name, 255],
  ["description", (hook) => hook.description, 2048],
  ["custom_webhook_template", (hook) => hook.customTemplate, 4096],
];

/** The hook after a create or an update. A changed URL drops the token unless it comes along, and the custom headers always. */
export function hookFrom(given: HookInput, old: Hook | Pick<Hook, "id" | "projectId" | "createdAt">): Hook {
  const was: Hook = "url" in old ? old : { ...FRESH, ...old };
  const moved = "url" in old && given.url !== undefined && given.url !== old.url;
  return {
    ...was,
    url: given.url ?? was.url,
    name: given.name ?? was.name,
    description: given.description ?? was.description,
    events: new Set(HOOK_EVENTS.filter((event) => given.events.get(event) ?? was.events.has(event))),
    enableSslVerification: given.enable_ssl_verification ?? was.enableSslVerification,
    customTemplate: given.custom_webhook_template ?? was.customTemplate,
    ...filterFrom(given, was),
    ...secretsFrom(given, was, moved),
  };
}

function filterFrom(given: HookInput, was: Hook): Pick<Hook, "branchFilter" | "branchFilterStrategy"> {
  return {
    branchFilter: given.push_events_branch_filter ?? was.branchFilter,
    branchFilterStrategy: given.branch_filter_strategy ?? was.branchFilterStrategy,
  };
}

function secretsFrom(
  given: HookInput,
  was: Hook,
  moved: boolean,
): Pick<Hook, "token" | "signingToken" | "customHeaders" | "urlVariables"> {
  const kept = moved ? { ...was, token: null, urlVariables: [] } : was;
  return {
    token: given.token ?? kept.token,
    signingToken: given.signing_token ?? kept.signingToken,
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
  recentFailures: 0,
  backoffCount: 0,
  disabledUntil: null,
  disabledForGood: false,
};

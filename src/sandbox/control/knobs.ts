import { z } from "zod";
import { ANSWER_NAMES } from "../front/answer-names.ts";
import { imports, projectSettings } from "./project-knobs.ts";

/**
 * Every knob of a sandbox, in one table: its values, its default, what it does. The types of `FaultKnobs` and `Settings`, the validation
 * of `/-/sandbox`, of scenarios and of `--set`, the page, `--help` and docs/sandbox.md are made from it. A new knob is one row here and
 * the place that reads it.
 */
const milliseconds = z.int().min(0).max(3_600_000);
const count = z.int().min(0).max(1_000_000);
const rate = z.int().min(1).max(1_000_000_000).nullable().default(null);
const address = z
  .url({ protocol: /^https?$/ })
  .regex(/[^/]$/, "no slash at the end")
  .regex(/^[!-~]+$/, "only what may stand in a header: ASCII without blanks");
const pathPattern = z.string().regex(/^[*/]/, "starts with / or *");
const headerName = z.string().regex(/^[a-z0-9-]+$/, "a header's name in lower case");

const front = z.strictObject({
  answer: z.enum(ANSWER_NAMES).default("none").describe("what answers instead of GitLab"),
  path: pathPattern
    .default("*")
    .describe("which requests the knobs of `front` concern: a path as it is sent, `*` stands for anything"),
  methods: z
    .array(z.enum(["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"]))
    .default([])
    .describe("only these methods; none listed: all"),
  after: count.default(0).describe("so many of these requests pass first; counts down as they come"),
  times: count
    .nullable()
    .default(null)
    .describe("so many are hit, then everything is well again; counts down; null: all"),
  retryAfterSeconds: z
    .int()
    .min(0)
    .max(86_400)
    .default(60)
    .describe("`Retry-After` and `RateLimit-Reset` of the answers that have them"),
  redirectTo: address
    .nullable()
    .default(null)
    .describe("where the redirecting answers send to; null: what fits the answer"),
  body: z
    .enum(["whole", "truncated", "invalid_json", "empty"])
    .default("whole")
    .describe(
      "what arrives of an API answer's body: truncated breaks the connection in the middle, invalid_json ends in the middle",
    ),
  bytesPerSecond: rate.describe("how fast bodies of API answers come; null: at once"),
});

const webhooks = z.strictObject({
  delayMs: milliseconds.default(0).describe("milliseconds before each webhook call"),
  lose: z.boolean().default(false).describe("webhook calls are never made"),
  duplicate: z.boolean().default(false).describe("each webhook call is made twice, with the same ids"),
  hold: z
    .boolean()
    .default(false)
    .describe("webhook calls wait until the action `deliver_webhooks` or `drop_webhooks`"),
  outOfOrder: z.boolean().default(false).describe("a webhook call waits until a later one has overtaken it"),
});

const git = z.strictObject({
  bytesPerSecond: rate.describe(
    "how fast git sends to clients, so that a clone lasts long enough to be watched; null: at once",
  ),
  diskFull: z
    .boolean()
    .default(false)
    .describe("the disk of the repositories is full: pushes fail half-way, commits of the API get 400"),
  gitalyDown: z.boolean().default(false).describe("Gitaly does not answer: git gets 503"),
  repositoriesReadOnly: z
    .boolean()
    .default(false)
    .describe("repositories are being moved between storages: no pushes for now"),
});

const ssh = z.strictObject({
  changedHostKey: z
    .boolean()
    .default(false)
    .describe("with SSH: another host key than before, as of a machine that was set up anew"),
});

const faults = z.strictObject({
  latencyMs: milliseconds.default(0).describe("milliseconds before every answer"),
  latencyByPath: z
    .record(pathPattern, milliseconds)
    .default({})
    .describe("further milliseconds for requests of these paths; `*` stands for anything"),
  maintenance: z
    .boolean()
    .default(false)
    .describe("maintenance mode: writes get 503, or 301 when they are not JSON; git push 403"),
  rackAttack: z
    .strictObject({ requests: count, periodSeconds: z.int().min(1).max(86_400) })
    .nullable()
    .default(null)
    .describe(
      "`requests` and `periodSeconds`: more API requests of one user, or address, in a period get Rack::Attack's 429; 0: all do",
    ),
  applicationLimits: z
    .record(z.string(), count)
    .default({})
    .describe("how often a user may use a feature in its interval, by GitLab's name, as `projects_api`"),
  uniqueIpLimit: z
    .boolean()
    .default(false)
    .describe("every token comes from one address too many: 403 for all that have one"),
  ipRestrictedGroups: z
    .array(z.int().min(1))
    .default([])
    .describe("ids of groups whose address list leaves the caller out: they and all below answer 404"),
  readOnly: z.boolean().default(false).describe("read-only instance: writes get 403, or 301 when not JSON"),
  decodesSlashes: z
    .boolean()
    .default(false)
    .describe("a proxy in front decodes `%2F`, so that only numeric ids reach projects"),
  dropsHeaders: z
    .array(headerName)
    .default([])
    .describe("a proxy in front drops these request headers, as `private-token` or `authorization`"),
  clockSkewSeconds: z
    .int()
    .min(-315_360_000)
    .max(315_360_000)
    .default(0)
    .describe("how far its clock is ahead: `Date`, dates in answers, expiry, webhook timestamps"),
  certificate: z
    .enum(["good", "expired", "wrong_name", "self_signed"])
    .default("good")
    .describe("with TLS: the certificate that new connections see"),
  requireClientCertificate: z
    .boolean()
    .default(false)
    .describe("with TLS: 400 of nginx for clients without the certificate of this sandbox"),
  archivesLimited: z
    .boolean()
    .default(false)
    .describe("archives of repositories are answered with 429, as from the sixth in a minute on"),
  front,
  webhooks,
  git,
  ssh,
  imports,
});

const settings = z.strictObject({
  externalUrl: address
    .nullable()
    .default(null)
    .describe(
      "GitLab's `external_url`, when it is another than the address it is called by: in `Link` and all web addresses",
    ),
  allowLocalRequests: z
    .boolean()
    .default(true)
    .describe(
      "outbound requests to the local network; on, unlike a fresh GitLab, as receivers are local here",
    ),
  outboundAllowlist: z
    .array(z.string().min(1).max(255))
    .default([])
    .describe("hosts, addresses and ranges, each with an optional port, that webhooks reach in any case"),
  denyAllRequestsExceptAllowed: z
    .boolean()
    .default(false)
    .describe("from 15.10 on: webhooks reach nothing but what is on the list"),
  dnsRebindingProtection: z
    .boolean()
    .default(true)
    .describe("a name that does not resolve is refused, and calls go to the address that was checked"),
  autoDisableWebhooks: z
    .boolean()
    .nullable()
    .default(null)
    .describe("whether failing hooks are switched off; null: what this version does by default"),
  webhookCallsPerMinute: count.default(0).describe("webhook calls a minute and root namespace; 0: no limit"),
  maxResponseBytes: z
    .int()
    .min(0)
    .max(1024 ** 3)
    .default(100 * 1024 ** 2)
    .describe("larger answers of receivers are errors (`max_http_response_size_limit`)"),
  webhookTimeoutMs: milliseconds.default(10_000).describe("how long a receiver may take"),
  silentMode: z.boolean().default(false).describe("silent mode: no webhook leaves, tests of hooks get 422"),
  pushEventHooksLimit: count.default(3).describe("a push of more refs than this sends no hooks at all"),
  projectHooksLimit: count.default(100).describe("hooks a project may have"),
  notesCreateLimit: count.default(300).describe("notes a minute and user; 0: no limit"),
  personalAccessTokensDisabled: z
    .boolean()
    .default(false)
    .describe("access tokens are disabled: every one is as good as unknown"),
  impersonationEnabled: z
    .boolean()
    .default(true)
    .describe("impersonation tokens work (`impersonation_enabled` of gitlab.rb)"),
  adminMode: z
    .boolean()
    .default(false)
    .describe("administrators are ordinary users but for tokens with the scope admin_mode (15.8+)"),
  ...projectSettings,
  requireTokenExpiry: z.boolean().default(true).describe("from 16.0 on: new tokens must expire"),
  tokenPrefix: z.string().max(20).default("glpat-").describe("what new tokens begin with"),
  maintenanceMessage: z
    .string()
    .max(255)
    .default("GitLab is undergoing maintenance")
    .describe("what maintenance mode says"),
  enabledGitAccessProtocol: z
    .enum(["all", "http", "ssh"])
    .default("all")
    .describe("the only protocol that git may come by"),
  passwordAuthenticationForGit: z
    .boolean()
    .default(true)
    .describe("off: failed attempts of git are answered without a challenge, so that git asks nobody"),
});

export const KNOBS = z.strictObject({ faults, settings });
export type FaultKnobs = z.infer<typeof faults>;
export type Settings = z.infer<typeof settings>;
export type Knobs = z.infer<typeof KNOBS>;

/** All knobs as they are at the start. */
export function initialKnobs(): Knobs {
  return KNOBS.parse({ faults: { front: {}, webhooks: {}, git: {}, ssh: {}, imports: {} }, settings: {} });
}

import { z } from "zod";

/** What the API answers. The server drops what is not declared here; clients parse what they get. Times: ISO 8601 in UTC on the wire, `Date` on both sides. */
const instant = z.codec(z.iso.datetime(), z.date(), {
  decode: (text) => new Date(text),
  encode: (date) => date.toISOString(),
});

export const list = <T extends z.ZodType>(item: T): z.ZodReadonly<z.ZodArray<T>> => z.array(item).readonly();

export const problemSchema = z.object({
  type: z.string(),
  title: z.string(),
  status: z.number(),
  detail: z.string(),
  code: z.string(),
  reason: z.string(),
  fix: list(z.string()),
  evidence: z.record(z.string(), z.union([z.string(), z.number()])),
  requestId: z.string().optional(),
});
export type Problem = z.output<typeof problemSchema>;

const checkSchema = z.object({
  id: z.string(),
  state: z.enum(["ok", "warn", "fail", "skip", "unknown"]),
  title: z.string(),
  evidence: z.string().nullable(),
  evidenceSource: z.enum(["live", "provider-delivery", "provider-config", "local"]).nullable(),
  fix: z.string().nullable(),
  ms: z.number(),
});

export const diagnosisSchema = z.object({
  schema: z.literal(1),
  ok: z.boolean(),
  instance: z.object({ url: z.string(), version: z.string().nullable(), edition: z.string().nullable() }),
  token: z
    .object({
      kind: z.string(),
      name: z.string().nullable(),
      scopes: list(z.string()),
      scopesKnownBy: z.enum(["self", "probe"]),
      expiresAt: z.string().nullable(),
      user: z.string().nullable(),
    })
    .nullable(),
  checks: list(checkSchema),
  error: z
    .object({
      code: z.string(),
      reason: z.string(),
      title: z.string(),
      cause: z.string(),
      fix: list(z.string()),
      evidence: z.record(z.string(), z.union([z.string(), z.number(), z.undefined()])).readonly(),
    })
    .nullable(),
});
export type DiagnosisAnswer = z.output<typeof diagnosisSchema>;

export const connectionSchema = z.object({
  id: z.string(),
  name: z.string(),
  baseUrl: z.string(),
  webUrl: z.string(),
  version: z.string().nullable(),
  edition: z.string().nullable(),
  reachedBy: list(z.string()),
  tokenKind: z.string(),
  tokenName: z.string().nullable(),
  tokenScopes: list(z.string()),
  tokenScopesKnownBy: z.string(),
  tokenExpiresAt: z.string().nullable(),
  username: z.string().nullable(),
  createdAt: instant,
  checkedAt: instant,
  trouble: z.object({ code: z.string(), reason: z.string(), title: z.string() }).nullable(),
  pausedAt: instant.nullable(),
  rotateBeforeDays: z.number().nullable(),
  rotateForDays: z.number(),
});
export type ConnectionAnswer = z.output<typeof connectionSchema>;

const buildSchema = z.object({
  kind: z.enum(["static", "node"]).exactOptional(),
  root: z.string().exactOptional(),
  install: list(z.string()).exactOptional(),
  build: list(z.string()).exactOptional(),
  start: list(z.string()).exactOptional(),
  output: z.string().exactOptional(),
});

const environmentSchema = z.object({
  id: z.string(),
  name: z.string(),
  branch: z.string(),
  host: z.string(),
  url: z.string(),
  liveReleaseId: z.string().nullable(),
  liveCommit: z.string().nullable(),
  wantedCommit: z.string().nullable(),
});

export const appSchema = z.object({
  id: z.string(),
  name: z.string(),
  connection: z.string(),
  project: z.object({ id: z.number(), path: z.string(), webUrl: z.string() }),
  hook: z.object({
    state: z.enum(["none", "creating", "active", "polling"]),
    signed: z.boolean(),
    reason: z.string().nullable(),
  }),
  deployKeyId: z.number().nullable(),
  build: buildSchema,
  environments: list(environmentSchema),
  createdAt: instant,
});
export type AppAnswer = z.output<typeof appSchema>;

/** What a person enters in GitLab where Fairlead may not make the webhook. */
export const byHandSchema = z.object({
  page: z.string(),
  url: z.string(),
  secret: z.string().meta({ format: "password" }),
  triggers: list(z.string()),
});
export type HookByHandAnswer = z.output<typeof byHandSchema>;

export const eventSchema = z.object({ at: instant, kind: z.string(), text: z.string() });

export const leftSchema = z.object({
  left: list(
    z.object({ what: z.enum(["hook", "deploy_key"]), id: z.number(), url: z.string(), why: z.string() }),
  ),
});
export type LeftAnswer = z.output<typeof leftSchema>;

export const repairSchema = z.object({
  what: z.enum(["hook", "deploy_key"]),
  project: z.string(),
  text: z.string(),
});

/** `failed`: why not; null when it is done. */
export const repairedSchema = repairSchema.extend({ failed: z.string().nullable() });
export type RepairedAnswer = z.output<typeof repairedSchema>;

export const deploymentSchema = z.object({
  id: z.string(),
  number: z.number(),
  app: z.string(),
  environment: z.string(),
  state: z.string(),
  cause: z.string(),
  commit: z.string(),
  ref: z.string(),
  title: z.string().nullable(),
  author: z.string().nullable(),
  releaseId: z.string().nullable(),
  attempt: z.number(),
  url: z.string(),
  fault: z.object({ code: z.string(), reason: z.string(), message: z.string() }).nullable(),
  steps: list(
    z.object({
      name: z.string(),
      attempt: z.number(),
      state: z.enum(["running", "done", "failed"]),
      startedAt: instant,
      finishedAt: instant.nullable(),
    }),
  ),
  createdAt: instant,
  startedAt: instant.nullable(),
  finishedAt: instant.nullable(),
});
export type DeploymentAnswer = z.output<typeof deploymentSchema>;

export const releaseSchema = z.object({
  id: z.string(),
  commit: z.string(),
  kind: z.string(),
  live: z.boolean(),
  createdAt: instant,
});

export const deliverySchema = z.object({
  id: z.string(),
  project: z.string(),
  receivedAt: instant,
  event: z.string(),
  ref: z.string().nullable(),
  state: z.enum(["received", "processed"]),
  verdict: z.enum(["deployed", "ignored", "failed"]).nullable(),
  reason: z.string().nullable(),
  trace: list(z.string()),
  deployments: list(z.string()),
  processedAt: instant.nullable(),
});
export type DeliveryAnswer = z.output<typeof deliverySchema>;

export const dryRunSchema = z.object({
  ref: z.string(),
  commit: z.string().nullable(),
  outcomes: list(z.object({ environment: z.string(), deploys: z.boolean(), reason: z.string() })),
});

export const logLineSchema = z.object({ seq: z.number(), at: instant.nullable(), text: z.string() });

import { z } from "zod";
import {
  appSchema,
  connectionSchema,
  deliverySchema,
  deploymentSchema,
  diagnosisSchema,
  dryRunSchema,
  eventSchema,
  leftSchema,
  list,
  problemSchema,
  releaseSchema,
} from "./answers.ts";
import { answers, limit, nothing, ofConnection, orEmpty, token, word } from "./contract-parts.ts";
import { doctorApi } from "./doctor-contract.ts";
import { hookApi } from "./hook-contract.ts";
import { lifeApi } from "./life-contract.ts";
import { browseApi } from "./browse-contract.ts";

/**
 * The API, word for word: every operation of `/api/v1`, shared by the server and by clients, which import nothing else of this folder.
 * Requests are strict: a misspelt field is refused, not ignored.
 */
export { logLineSchema, problemSchema } from "./answers.ts";
export type { ListedProjectAnswer } from "./browse-contract.ts";
export type {
  AppAnswer,
  HookByHandAnswer,
  ConnectionAnswer,
  DeliveryAnswer,
  DeploymentAnswer,
  DiagnosisAnswer,
  LeftAnswer,
  Problem,
  RepairedAnswer,
} from "./answers.ts";

/** Server-sent events: `line` (`logLineSchema`), then `end`, or `fault` (`problemSchema`). A stream without `end` was cut off. */
const events = {
  "2xx": { content: { "text/event-stream": { schema: z.string() } } },
  "4xx": problemSchema,
  "5xx": problemSchema,
} as const;

const follow = z.stringbool().default(false);
const ofApp = z.object({ app: word });
const ofDeployment = z.object({ deployment: word });
const ofDelivery = z.object({ delivery: word });
const inEnvironment = z.object({ environment: word.exactOptional() });

const pem = z.string().max(256 * 1024);
const healthPath = z
  .string()
  .max(1024)
  .regex(/^\/[^\s#]*$/, "must begin with /");
const words = z.array(z.string().max(4096)).max(64);
const buildRequest = z.strictObject({
  kind: z.enum(["static", "node"]).exactOptional(),
  root: word.exactOptional(),
  install: words.exactOptional(),
  build: words.exactOptional(),
  start: words.exactOptional(),
  output: word.exactOptional(),
});
const secretText = z.string().min(1).max(4096).meta({ format: "password", writeOnly: true });
const checkRequest = z.strictObject({
  url: z.string().max(2048),
  token,
  ca: pem.optional(),
  proxy: secretText.optional(),
  clientCert: pem.optional(),
  clientKey: pem.meta({ format: "password", writeOnly: true }).optional(),
  headers: z.record(z.string().max(100), secretText).optional(),
});
const linkRequest = z.strictObject({
  connection: word,
  project: z.string().min(1).max(1024),
  name: word.optional(),
  branch: word.optional(),
  healthPath: healthPath.optional(),
  build: buildRequest.optional(),
});
/** Each operation is a Fastify route without its handler. */
export const api = {
  check: {
    method: "POST",
    url: "/api/v1/check",
    schema: {
      summary: "Diagnose a URL and token; stores nothing",
      body: checkRequest.extend({ projects: z.array(z.string().min(1).max(1024)).max(50).optional() }),
      response: answers(diagnosisSchema),
    },
  },
  connect: {
    method: "POST",
    url: "/api/v1/connections",
    schema: {
      summary: "Diagnose, then store a connection",
      body: checkRequest.extend({ name: word.optional() }),
      response: answers(z.object({ connection: connectionSchema, diagnosis: diagnosisSchema })),
    },
  },
  listConnections: {
    method: "GET",
    url: "/api/v1/connections",
    schema: {
      summary: "All connections",
      response: answers(z.object({ connections: list(connectionSchema) })),
    },
  },
  getConnection: {
    method: "GET",
    url: "/api/v1/connections/:connection",
    schema: {
      summary: "One connection, by name or id",
      params: ofConnection,
      response: answers(connectionSchema),
    },
  },
  ...doctorApi,
  ...hookApi,
  ...browseApi,
  ...lifeApi,
  disconnect: {
    method: "DELETE",
    url: "/api/v1/connections/:connection",
    schema: {
      summary: "Unlink every app of a connection and forget it; names what could not be removed in GitLab",
      params: ofConnection,
      response: answers(leftSchema),
    },
  },
  link: {
    method: "POST",
    url: "/api/v1/apps",
    schema: {
      summary: "Link a project: hook, deploy key, app",
      body: linkRequest,
      response: answers(appSchema),
    },
  },
  listApps: {
    method: "GET",
    url: "/api/v1/apps",
    schema: { summary: "All apps", response: answers(z.object({ apps: list(appSchema) })) },
  },
  getApp: {
    method: "GET",
    url: "/api/v1/apps/:app",
    schema: { summary: "One app, by name or id", params: ofApp, response: answers(appSchema) },
  },
  unlink: {
    method: "DELETE",
    url: "/api/v1/apps/:app",
    schema: {
      summary: "Stop an app and remove its hook and deploy key; names what could not be removed in GitLab",
      params: ofApp,
      response: answers(leftSchema),
    },
  },
  listEvents: {
    method: "GET",
    url: "/api/v1/apps/:app/events",
    schema: {
      summary: "What happened to an app, newest first",
      params: ofApp,
      querystring: z.object({ limit }),
      response: answers(z.object({ events: list(eventSchema) })),
    },
  },
  runLogs: {
    method: "GET",
    url: "/api/v1/apps/:app/logs",
    schema: {
      summary: "Output of an app's live replicas",
      params: ofApp,
      querystring: z.object({ tail: z.coerce.number().int().min(0).max(10_000).default(200), follow }),
      response: events,
    },
  },
  tryPush: {
    method: "POST",
    url: "/api/v1/apps/:app/try",
    schema: {
      summary: "What a push of a ref would do, and why; does nothing",
      params: ofApp,
      body: z.strictObject({ ref: word }),
      response: answers(dryRunSchema),
    },
  },
  listDeployments: {
    method: "GET",
    url: "/api/v1/apps/:app/deployments",
    schema: {
      summary: "Deployments of an app, newest first; `before` is a deployment's number",
      params: ofApp,
      querystring: z.object({ limit, before: z.coerce.number().int().min(0).exactOptional() }),
      response: answers(z.object({ deployments: list(deploymentSchema) })),
    },
  },
  deploy: {
    method: "POST",
    url: "/api/v1/apps/:app/deployments",
    schema: {
      summary: "Deploy the head of the environment's branch, or a ref",
      params: ofApp,
      body: orEmpty({ ref: word.exactOptional(), environment: word.exactOptional() }),
      response: answers(deploymentSchema),
    },
  },
  redeploy: {
    method: "POST",
    url: "/api/v1/apps/:app/redeploy",
    schema: {
      summary: "Build the newest deployment's commit again",
      params: ofApp,
      body: orEmpty({ environment: word.exactOptional() }),
      response: answers(deploymentSchema),
    },
  },
  rollback: {
    method: "POST",
    url: "/api/v1/apps/:app/rollback",
    schema: {
      summary: "Start a kept release again: `to`, or the one before the live one",
      params: ofApp,
      body: orEmpty({ to: word.exactOptional(), environment: word.exactOptional() }),
      response: answers(deploymentSchema),
    },
  },
  listReleases: {
    method: "GET",
    url: "/api/v1/apps/:app/releases",
    schema: {
      summary: "Kept releases of an environment",
      params: ofApp,
      querystring: inEnvironment,
      response: answers(z.object({ releases: list(releaseSchema) })),
    },
  },
  getDeployment: {
    method: "GET",
    url: "/api/v1/deployments/:deployment",
    schema: {
      summary: "One deployment with its steps",
      params: ofDeployment,
      response: answers(deploymentSchema),
    },
  },
  cancel: {
    method: "POST",
    url: "/api/v1/deployments/:deployment/cancel",
    schema: {
      summary: "Stop a deployment at whatever step it is",
      params: ofDeployment,
      body: nothing,
      response: answers(deploymentSchema),
    },
  },
  deploymentLogs: {
    method: "GET",
    url: "/api/v1/deployments/:deployment/logs",
    schema: {
      summary:
        "Build log; with `follow` until the deployment has ended. Resumes after the header `Last-Event-ID`",
      params: ofDeployment,
      querystring: z.object({ follow }),
      response: events,
    },
  },
  listDeliveries: {
    method: "GET",
    url: "/api/v1/apps/:app/deliveries",
    schema: {
      summary: "Webhook calls for an app's project, newest first",
      params: ofApp,
      querystring: z.object({ limit }),
      response: answers(z.object({ deliveries: list(deliverySchema) })),
    },
  },
  getDelivery: {
    method: "GET",
    url: "/api/v1/deliveries/:delivery",
    schema: { summary: "One delivery with its trace", params: ofDelivery, response: answers(deliverySchema) },
  },
  replay: {
    method: "POST",
    url: "/api/v1/deliveries/:delivery/replay",
    schema: {
      summary: "Process a stored delivery again",
      params: ofDelivery,
      body: nothing,
      response: answers(deliverySchema),
    },
  },
} as const;

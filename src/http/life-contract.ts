import { z } from "zod";
import { connectionSchema, diagnosisSchema, eventSchema, list } from "./answers.ts";
import { answers, limit, ofConnection, token } from "./contract-parts.ts";

/** The operations of a connection's later life, part of `contract.ts`. */
export const lifeApi = {
  reconnect: {
    method: "POST",
    url: "/api/v1/connections/:connection/reconnect",
    schema: {
      summary:
        "Give a connection another token. When its user changes or projects get out of reach nothing is stored (`applied` false) unless `accept` is true",
      params: ofConnection,
      body: z.strictObject({ token, accept: z.boolean().default(false) }),
      response: answers(
        z.object({
          connection: connectionSchema,
          diagnosis: diagnosisSchema,
          changes: list(z.string()),
          applied: z.boolean(),
        }),
      ),
    },
  },
  rotate: {
    method: "POST",
    url: "/api/v1/connections/:connection/rotate",
    schema: {
      summary:
        "Replace the token by a successor that lives for `days`; the one before is dead then. Do not repeat a call that broke off",
      params: ofConnection,
      body: z.strictObject({ days: z.int().min(2).max(400).default(90) }),
      response: answers(connectionSchema),
    },
  },
  setRotation: {
    method: "PUT",
    url: "/api/v1/connections/:connection/rotation",
    schema: {
      summary: "Rotate so many days before the token's end, for so many days; `policy` null: only on request",
      params: ofConnection,
      body: z.strictObject({
        policy: z
          .strictObject({ beforeDays: z.int().min(1).max(90), forDays: z.int().min(2).max(400).default(90) })
          .nullable(),
      }),
      response: answers(connectionSchema),
    },
  },
  listConnectionEvents: {
    method: "GET",
    url: "/api/v1/connections/:connection/events",
    schema: {
      summary: "What happened to a connection, newest first",
      params: ofConnection,
      querystring: z.object({ limit }),
      response: answers(z.object({ events: list(eventSchema) })),
    },
  },
} as const;

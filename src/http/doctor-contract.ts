import { z } from "zod";
import { diagnosisSchema, list, repairedSchema, repairSchema } from "./answers.ts";
import { answers, nothing, ofConnection, orEmpty } from "./contract-parts.ts";

/** The operations of the doctor, part of `contract.ts`. */
export const doctorApi = {
  doctor: {
    method: "POST",
    url: "/api/v1/connections/:connection/doctor",
    schema: {
      summary:
        "Diagnose a stored connection and its projects, with what Fairlead has seen; `probe` lets GitLab call the webhooks, which it logs",
      params: ofConnection,
      body: orEmpty({ probe: z.boolean().exactOptional() }),
      response: answers(diagnosisSchema),
    },
  },
  listRepairs: {
    method: "GET",
    url: "/api/v1/connections/:connection/repairs",
    schema: {
      summary: "Webhooks and deploy keys that are not as they were made; changes nothing",
      params: ofConnection,
      response: answers(z.object({ repairs: list(repairSchema) })),
    },
  },
  repair: {
    method: "POST",
    url: "/api/v1/connections/:connection/repairs",
    schema: {
      summary: "Make those webhooks and deploy keys again",
      params: ofConnection,
      body: nothing,
      response: answers(z.object({ repaired: list(repairedSchema) })),
    },
  },
} as const;

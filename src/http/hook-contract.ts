import { z } from "zod";
import { byHandSchema } from "./answers.ts";
import { answers, word } from "./contract-parts.ts";

/** The operations on an app's webhook, part of `contract.ts`. */
export const hookApi = {
  getHook: {
    method: "GET",
    url: "/api/v1/apps/:app/hook",
    schema: {
      summary: "What to enter in GitLab to make an app's webhook by hand, with its secret",
      params: z.object({ app: word }),
      response: answers(byHandSchema),
    },
  },
} as const;

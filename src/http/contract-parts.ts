import { z } from "zod";
import { problemSchema } from "./answers.ts";

/** What the operations of the contract are written with. */
export const word = z.string().min(1).max(255);

// oxlint-disable-next-line typescript/explicit-module-boundary-types -- the inferred type is the contract
export const answers = <T extends z.ZodType>(schema: T) =>
  ({ "2xx": schema, "4xx": problemSchema, "5xx": problemSchema }) as const;

/** A POST without a body means an empty one. */
export const orEmpty = <T extends z.ZodRawShape>(shape: T) =>
  z
    .strictObject(shape)
    .nullish()
    .transform((body) => body ?? {});

export const nothing = orEmpty({});
export const limit = z.coerce.number().int().min(1).max(500).default(50);
export const token = z.string().min(1).max(1024).meta({ format: "password", writeOnly: true });
export const ofConnection = z.object({ connection: word });

import type { z } from "zod";
import { problemSchema } from "../http/contract.ts";
import type { Secret } from "../kernel/secret.ts";

interface Operation<Answer extends z.ZodType, Body extends z.ZodType> {
  readonly method: string;
  readonly url: string;
  readonly schema: { readonly body?: Body; readonly response: { readonly "2xx": Answer } };
}

export interface DemoClient {
  call<A extends z.ZodType, B extends z.ZodType>(
    operation: Operation<A, B>,
    input?: { readonly params?: Readonly<Record<string, string>>; readonly body?: z.input<B> },
  ): Promise<z.output<A>>;
}

/** Talks to the API as any client would. Throws an Error with the problem's title and cause. */
export function createDemoClient(apiUrl: string, token: Secret, signal: AbortSignal): DemoClient {
  return {
    async call(operation, input = {}) {
      const path = operation.url.replace(/:(\w+)/g, (_, name: string) =>
        encodeURIComponent(input.params?.[name] ?? ""),
      );
      const response = await fetch(apiUrl + path, {
        method: operation.method,
        headers: { authorization: `Bearer ${token.reveal()}`, "content-type": "application/json" },
        ...(operation.method === "GET" ? {} : { body: JSON.stringify(input.body ?? {}) }),
        signal: AbortSignal.any([signal, AbortSignal.timeout(60_000)]),
      });
      const answer: unknown = await response.json();
      if (response.ok) return operation.schema.response["2xx"].parse(answer);
      const problem = problemSchema.parse(answer);
      throw new Error(`${problem.code}: ${problem.detail}`);
    },
  };
}

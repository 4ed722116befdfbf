import type { GitLab, GitLabOptions } from "./gitlab.ts";
import { createCommitCalls } from "./commit-calls.ts";
import { createKeyCalls } from "./key-calls.ts";
import { createHookCalls } from "./hook-calls.ts";
import { createProbeCalls } from "./probe-calls.ts";
import { createBrowseCalls } from "./browse-calls.ts";
import { createTokenLife } from "./rotation-calls.ts";
import { createTokenCalls } from "./token-calls.ts";
import { createTransport } from "./transport.ts";

/** A client for one GitLab and one token. Nothing is sent before the first call. Throws `INVALID_URL`, and `BAD_REQUEST` for a damaged CA. */
export function createGitLab(options: GitLabOptions): GitLab {
  const transport = createTransport(options);
  return {
    baseUrl: transport.baseUrl,
    origin: transport.origin,
    ...createTokenCalls(transport),
    ...createCommitCalls(transport),
    ...createHookCalls(transport),
    ...createKeyCalls(transport),
    ...createProbeCalls(transport),
    ...createBrowseCalls(transport),
    ...createTokenLife(transport),
    [Symbol.asyncDispose]: () => transport[Symbol.asyncDispose](),
  };
}

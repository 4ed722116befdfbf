import type { GitLab } from "./gitlab.ts";
import { deleted } from "./hook-calls.ts";
import { listAll } from "./pages.ts";
import { parseAs } from "./parse.ts";
import { deployKeySchema } from "./schemas.ts";
import type { Transport } from "./transport.ts";

type KeyCalls = Pick<GitLab, "listDeployKeys" | "createDeployKey" | "deleteDeployKey">;

const KEYS = "/projects/:id/deploy_keys";
const KEY = "/projects/:id/deploy_keys/:key_id";

/** Deploy keys: the token's user must be Maintainer. */
export function createKeyCalls(transport: Transport): KeyCalls {
  return {
    listDeployKeys: (id, call) =>
      listAll(transport, { template: KEYS, params: { id }, ...call }, deployKeySchema),

    async createDeployKey(id, title, publicKey, call) {
      const success = await transport.send({
        method: "POST",
        template: KEYS,
        params: { id },
        body: { title, key: publicKey.trim(), can_push: false },
        ...call,
      });
      return parseAs(deployKeySchema, success, KEYS);
    },

    deleteDeployKey: (id, keyId, call) =>
      deleted(transport.send({ method: "DELETE", template: KEY, params: { id, key_id: keyId }, ...call })),
  };
}

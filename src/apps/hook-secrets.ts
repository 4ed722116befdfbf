import { randomBytes } from "node:crypto";
import { randomToken } from "../kernel/ids.ts";
import { Secret } from "../kernel/secret.ts";
import type { Place, Vault } from "../secrets/vault.ts";
import type { HookSecrets } from "./apps.ts";

function place(linkedProjectId: string, column: "hook_secret" | "hook_signing_key"): Place {
  return { table: "linked_project", row: linkedProjectId, column };
}

/** Both kinds, since only the answer of GitLab 19 tells which one it will use. */
export function newHookSecrets(): HookSecrets {
  return {
    token: new Secret(randomToken(32)),
    signingToken: new Secret(`whsec_${randomBytes(32).toString("base64")}`),
  };
}

export interface SealedHookSecrets {
  readonly hook_secret: Buffer;
  readonly hook_signing_key: Buffer;
}

export function sealHookSecrets(
  vault: Vault,
  linkedProjectId: string,
  secrets: HookSecrets,
): SealedHookSecrets {
  return {
    hook_secret: vault.seal(secrets.token, place(linkedProjectId, "hook_secret")),
    hook_signing_key: vault.seal(secrets.signingToken, place(linkedProjectId, "hook_signing_key")),
  };
}

/** Throws `KEY_UNUSABLE`. */
export function openHookSecrets(
  vault: Vault,
  linkedProjectId: string,
  sealed: SealedHookSecrets,
): HookSecrets {
  return {
    token: vault.open(sealed.hook_secret, place(linkedProjectId, "hook_secret")),
    signingToken: vault.open(sealed.hook_signing_key, place(linkedProjectId, "hook_signing_key")),
  };
}

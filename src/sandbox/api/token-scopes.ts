import type { Feature, Version } from "../versions.ts";

/** Scopes that a token can be made with, and since when (§1.5). */
const SCOPES: readonly (readonly [string, Feature | null])[] = [
  ["api", null],
  ["read_user", null],
  ["read_api", "readApiScope"],
  ["create_runner", "createRunnerScope"],
  ["manage_runner", "manageRunnerScope"],
  ["k8s_proxy", "k8sProxyScope"],
  ["self_rotate", "selfRotateScope"],
  ["read_repository", null],
  ["write_repository", "writeRepositoryScope"],
  ["read_registry", null],
  ["write_registry", "readApiScope"],
  ["read_virtual_registry", "virtualRegistryScopes"],
  ["write_virtual_registry", "virtualRegistryScopes"],
  ["ai_features", "aiFeaturesScope"],
  ["sudo", null],
  ["admin_mode", "adminModeScope"],
  ["read_service_ping", "manageRunnerScope"],
];

/** A bot is nobody to read about and never an administrator. */
const NOT_FOR_BOTS = new Set(["read_user", "sudo", "admin_mode", "read_service_ping"]);

export function tokenScopes(version: Version): string[] {
  return SCOPES.filter(([, since]) => since === null || version.has(since)).map(([name]) => name);
}

export function botScopes(version: Version): string[] {
  return tokenScopes(version).filter((scope) => !NOT_FOR_BOTS.has(scope));
}

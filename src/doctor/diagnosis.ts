/** The result of checking a connection: the documented JSON object of `check --json` (schema 1). */
export type CheckState = "ok" | "warn" | "fail" | "skip" | "unknown";

export interface Check {
  /** Stable for ever: `url.shape`, `net.tcp`, `token.scopes` … */
  readonly id: string;
  readonly state: CheckState;
  readonly title: string;
  readonly evidence: string | null;
  readonly evidenceSource: "live" | "provider-delivery" | "provider-config" | "local" | null;
  readonly fix: string | null;
  readonly ms: number;
}

export interface DiagnosisError {
  readonly code: string;
  readonly reason: string;
  readonly title: string;
  readonly cause: string;
  readonly fix: readonly string[];
  readonly evidence: Readonly<Record<string, string | number | undefined>>;
}

export interface Diagnosis {
  readonly schema: 1;
  readonly ok: boolean;
  readonly instance: {
    readonly url: string;
    readonly version: string | null;
    readonly edition: string | null;
  };
  readonly token: {
    readonly kind: string;
    readonly name: string | null;
    readonly scopes: readonly string[];
    readonly scopesKnownBy: "self" | "probe";
    readonly expiresAt: string | null;
    readonly user: string | null;
  } | null;
  readonly checks: readonly Check[];
  /** The first broken layer. */
  readonly error: DiagnosisError | null;
}

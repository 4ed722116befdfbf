import type { CODES, FaultCode, FaultReason } from "./codes.ts";

/** What was seen on the wire or on the machine. Never a secret; GitLab's own words at most 2 KB. */
export interface Evidence {
  readonly method?: string;
  /** The path with placeholders: `/projects/:id/hooks`. */
  readonly pathTemplate?: string;
  readonly status?: number;
  /** GitLab's own words, or a program's. */
  readonly words?: string;
  /** Fairlead's own words about this very case: they lead the cause. */
  readonly note?: string;
  /** GitLab's `X-Request-Id`, which its administrator can look for in the logs. */
  readonly requestId?: string;
  readonly host?: string;
  /** What a redirect pointed at, what a log's last lines were, which scopes were seen: short facts by name. */
  readonly [fact: string]: string | number | undefined;
}

export interface FaultDetails {
  readonly evidence?: Evidence;
  /** Whether doing the very same again may work without anybody changing anything. */
  readonly retryable?: boolean;
  /** Milliseconds since the epoch before which a retry is useless. */
  readonly retryAt?: number;
  readonly cause?: unknown;
  /** For people; the catalogue's title when absent. */
  readonly message?: string;
}

/**
 * The one error class that crosses folders. Classified once, where the trouble enters; callers read `code` and `reason`, never
 * the message.
 */
export class Fault extends Error {
  override readonly name = "Fault";
  readonly code: FaultCode;
  readonly reason: string;
  readonly retryable: boolean;
  readonly retryAt: number | null;
  readonly evidence: Evidence;

  private constructor(code: FaultCode, reason: string, details: FaultDetails) {
    const title = details.message ?? (reason === "" ? code : `${code} (${reason})`);
    super(title, details.cause === undefined ? undefined : { cause: details.cause });
    this.code = code;
    this.reason = reason;
    this.retryable = details.retryable ?? false;
    this.retryAt = details.retryAt ?? null;
    this.evidence = details.evidence ?? {};
  }

  static of<C extends FaultCode>(code: C, reason: FaultReason<C>, details: FaultDetails = {}): Fault {
    return new Fault(code, reason, details);
  }

  /** The same fault with more of what was seen; what it says already stays. */
  withEvidence(more: Evidence): Fault {
    const { code, reason, message, cause, retryable } = this;
    const details = { message, cause, retryable, evidence: { ...more, ...this.evidence } };
    return new Fault(code, reason, this.retryAt === null ? details : { ...details, retryAt: this.retryAt });
  }

  is<C extends FaultCode>(code: C, reason?: (typeof CODES)[C][number]): boolean {
    return this.code === code && (reason === undefined || this.reason === reason);
  }
}

/** Any thrown thing as a Fault: itself, or `INTERNAL` with it as cause. */
export function toFault(thrown: unknown): Fault {
  if (thrown instanceof Fault) return thrown;
  return Fault.of("INTERNAL", "", {
    cause: thrown,
    message: thrown instanceof Error ? thrown.message : String(thrown),
  });
}

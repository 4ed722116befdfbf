import type { Hook } from "../gitlab/gitlab.ts";

export interface Expected {
  readonly url: string;
  /** Whether GitLab signed its calls when it was last set. */
  readonly signed: boolean;
  /** Calls with a wrong secret since it was last set. */
  readonly badSecrets: number;
}

/**
 * How a webhook of ours differs from how it was made, each as half a sentence for people. Of its address only the origin is told: the rest
 * is known to GitLab and us alone.
 */
export function findDrift(hook: Hook, expected: Expected): readonly string[] {
  return [
    ...addressDrift(hook.url, expected.url),
    ...(hook.pushEvents ? [] : ["push events were switched off"]),
    ...(hook.tagPushEvents ? [] : ["tag events were switched off"]),
    ...(hook.branchFilter === null ? [] : [`it was for branches like ${hook.branchFilter} only`]),
    ...(hook.verifiesTls ? [] : ["it did not check certificates any more"]),
    ...secretDrift(hook, expected),
  ];
}

/** GitLab does not call it because calls failed. */
export function isOff({ alertStatus }: Hook): boolean {
  return alertStatus === "disabled" || alertStatus === "temporarily_disabled";
}

function addressDrift(actual: string, expected: string): readonly string[] {
  if (actual === expected) return [];
  const { origin } = new URL(expected);
  const called = URL.canParse(actual) ? new URL(actual).origin : "no address at all";
  if (called === origin) return [`it called another address at ${origin}`];
  return [`it called ${called} instead of ${origin}`];
}

function secretDrift(hook: Hook, { signed, badSecrets }: Expected): readonly string[] {
  return [
    ...(hook.tokenPresent === false ? ["it had lost its secret"] : []),
    ...(signed && hook.signingTokenPresent !== true ? ["it had lost its signing token"] : []),
    ...(badSecrets > 0 ? [`${badSecrets} calls came with a wrong secret`] : []),
  ];
}

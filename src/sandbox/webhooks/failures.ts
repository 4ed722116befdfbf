import type { Settings } from "../control/knobs.ts";
import type { Hook, State } from "../state.ts";
import type { Version } from "../versions.ts";

/** A hook is set aside from the failure on that comes after this many in a row. */
const THRESHOLD = 3;
const FOR_GOOD_FROM = 40;
const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;

/** Whether this GitLab sets failing hooks aside: by default only 15.7 to 15.9 do, else the flag decides. */
export function disablesFailing(settings: Settings, version: Version): boolean {
  const byDefault = version.has("webhooksDisabledByDefault") && !version.has("webhooksNotDisabledByDefault");
  return settings.autoDisableWebhooks ?? byDefault;
}

export type AlertStatus = "executable" | "temporarily_disabled" | "disabled";

export function alertStatus(state: State, version: Version, hook: Hook): AlertStatus {
  if (!disablesFailing(state.settings, version)) return "executable";
  if (hook.disabledForGood) return "disabled";
  const aside = hook.disabledUntil !== null && hook.disabledUntil > state.clock.now();
  return aside ? "temporarily_disabled" : "executable";
}

/** Writes down what came of a call. `status` is `internal error` when there was no answer. */
export function noteOutcome(
  state: State,
  version: Version,
  hook: Hook,
  status: number | "internal error",
): void {
  if (status !== "internal error" && status < 400) {
    hook.recentFailures = 0;
    hook.backoffCount = 0;
    hook.disabledUntil = null;
    hook.disabledForGood = false;
    return;
  }
  if (!disablesFailing(state.settings, version) || hook.disabledForGood) return;
  hook.recentFailures++;
  if (hook.recentFailures <= THRESHOLD) return;
  const alike = version.has("webhookFailuresAlike");
  const misconfigured = status !== "internal error" && status < 500;
  if (alike ? hook.recentFailures >= FOR_GOOD_FROM : misconfigured) {
    hook.disabledForGood = true;
    return;
  }
  const first = alike || version.has("webhookBackoffFromOneMinute") ? MINUTE : 10 * MINUTE;
  hook.disabledUntil = state.clock.now() + Math.min(first * 2 ** hook.backoffCount, DAY);
  hook.backoffCount++;
}

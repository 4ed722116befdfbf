import type { FaultKnobs, Settings } from "../sandbox/control/knobs.ts";
import type { AnswerName } from "../sandbox/front/answer-names.ts";
import { ROLE, selfTells, type Situation } from "./matrix-situation.suite.ts";

const front = (answer: AnswerName, expected: string, since?: string): Situation => ({
  name: `in front of GitLab: ${answer}`,
  ...(since === undefined ? {} : { since }),
  expected,
  prepare: (scene) => {
    scene.sandbox.faults.front.answer = answer;
    return scene.token;
  },
});

const knobs = (
  name: string,
  expected: Situation["expected"],
  change: (faults: FaultKnobs, settings: Settings) => void,
): Situation => ({
  name,
  expected,
  prepare: (scene) => {
    change(scene.sandbox.faults, scene.sandbox.settings);
    return scene.token;
  },
});

export const NETWORK: readonly Situation[] = [
  front("bad_gateway", "GITLAB_UNAVAILABLE bad_gateway"),
  front("bad_gateway_plain", "GITLAB_UNAVAILABLE bad_gateway"),
  front("internal_error", "GITLAB_UNAVAILABLE error"),
  front("rate_limited_application", "RATE_LIMITED"),
  front("rate_limited_rack_attack", "RATE_LIMITED"),
  front("forbidden_network", ROLE),
  front("redirect_to_https", "REDIRECTED to_https"),
  front("redirect_to_host", "REDIRECTED other_host"),
  front("redirect_to_login", "REDIRECTED login"),
  front("sso_redirect", "REDIRECTED login"),
  front("sso_page", "NOT_GITLAB sso"),
  front("proxy_login", "NOT_GITLAB sso"),
  front("waf_page", "NOT_GITLAB sso"),
  front("deploy_page", "NOT_GITLAB html"),
  front("other_application", "NOT_GITLAB html"),
  front("reset", "UNREACHABLE reset"),
  front("hang", "UNREACHABLE timeout", "19.0"),
  knobs("an LDAP server that is away for one request", "ok", ({ front: knob }) => {
    knob.answer = "ldap_unreachable";
    knob.path = "*/user";
    knob.times = 1;
  }),
  knobs(
    "maintenance mode",
    (v) => (selfTells(v) ? "ok" : "GITLAB_UNAVAILABLE maintenance"),
    (faults) => {
      faults.maintenance = true;
    },
  ),
  knobs(
    "a read-only copy",
    (v) => (selfTells(v) ? "ok" : "GITLAB_UNAVAILABLE read_only"),
    (faults) => {
      faults.readOnly = true;
    },
  ),
  knobs("too many addresses of one user", ROLE, (faults) => {
    faults.uniqueIpLimit = true;
  }),
  knobs("a proxy that drops the token", "AUTH_FAILED unknown_token", (faults) => {
    faults.dropsHeaders = ["authorization"];
  }),
  knobs("answers that are cut off", "NOT_GITLAB not_json", ({ front: knob }) => {
    knob.path = "*/user";
    knob.body = "invalid_json";
  }),
  knobs("empty answers", "NOT_GITLAB not_json", ({ front: knob }) => {
    knob.path = "*/user";
    knob.body = "empty";
  }),
];

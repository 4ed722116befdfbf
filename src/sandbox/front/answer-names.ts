/** What can stand in front of GitLab and answer for it, and what a client then sees. Made into docs/sandbox.md. */
export const ANSWERS = {
  none: "GitLab itself answers",
  bad_gateway: "502 with nginx's HTML page: GitLab does not respond",
  bad_gateway_plain: "502 in plain text, as API requests may get it",
  internal_error: '500 `{"message":"500 Internal Server Error"}`',
  rate_limited_application: "429 in JSON, of GitLab's application limiter",
  rate_limited_rack_attack: "429 `Retry later` in plain text with `RateLimit-*` headers, of Rack::Attack",
  forbidden_network: '403 `{"message":"403 Forbidden"}` on everything: the limit of addresses per user',
  ldap_unreachable:
    "403 of a blocked account; with `times: 1` the sporadic one of an LDAP server that is away",
  redirect_to_https: "301 to the same address with https",
  redirect_to_host: "301 to the same path on another host",
  redirect_to_login: "302 to the sign-in page, which is an HTML page",
  sso_page: "200 with the HTML page of a single sign-on proxy",
  sso_redirect: "302 to an identity provider on another host",
  proxy_login: "401 in HTML with a Basic challenge of a proxy",
  waf_page: "403 with the HTML page of a web application firewall",
  deploy_page: "200 with GitLab's deploy page for every path",
  other_application: "404 in HTML of some other web server: a wrong base URL",
  reset: "the connection is reset",
  hang: "no answer ever",
} as const;

export type AnswerName = keyof typeof ANSWERS;

export const ANSWER_NAMES = Object.keys(ANSWERS).filter(isAnswerName);

function isAnswerName(name: string): name is AnswerName {
  return name in ANSWERS;
}

import { expect } from "vitest";
import { answers, as, check, given, missing, NOWHERE, only, path, query, send, some } from "../steps.ts";
import type { Endpoints, Situation, Step } from "../situation.ts";

const PATH = "/projects/:id/hooks";
const CLOSED = "http://127.0.0.1:9/hook";

const hook: Step = async (situation) => {
  const body = {
    url: CLOSED,
    push_events_branch_filter: "main",
    url_variables: [{ key: "abc", value: "xyz" }],
    custom_headers: [{ key: "X-Old", value: "old" }],
  };
  const made = await situation.api("POST", hooksOf(situation), body);
  situation.path["hook_id"] = made.id;
};

/** A call of the hook that nobody answered. */
const hookWithCall: Step = async (situation) => {
  await hook(situation);
  await answering(situation);
  await test(situation);
  const [call] = await situation.api("GET", `${oneOf(situation)}/events`);
  situation.path["hook_log_id"] = call.id;
};

async function test(situation: Situation): Promise<void> {
  const { scene } = situation.world;
  await scene.call("POST", `${oneOf(situation)}/test/push_events`, {}, situation.world.tokenOf("owner"));
  await scene.sandbox.settled();
}

const hooksOf = ({ project }: Situation): string => `/projects/${project.id}/hooks`;
const oneOf = (situation: Situation): string => `${hooksOf(situation)}/${situation.path["hook_id"]}`;

const mergeRequest: Step = async ({ api, project }) => {
  const place = `/projects/${project.id}`;
  await api("POST", `${place}/repository/branches`, { branch: "topic", ref: "main" });
  await api("POST", `${place}/repository/files/new.txt`, {
    branch: "topic",
    content: "n",
    commit_message: "n",
  });
  await api("POST", `${place}/merge_requests`, {
    source_branch: "topic",
    target_branch: "main",
    title: "Topic",
  });
};

const note: Step = async ({ api, project }) => {
  await api("POST", `/projects/${project.id}/merge_requests/1/notes`, { body: "a note" });
};

const answering: Step = ({ world, project }) => {
  for (const row of world.scene.sandbox.rows.hooks.values()) {
    if (row.projectId === project.id) row.url = world.receiver;
  }
};

const noBody: Step = ({ checks }) => {
  checks.push((answer) => expect(answer.text).toBe(""));
};

const BRANCH_FILTERS = [
  [
    /with branch_filter_strategy regex/,
    send({ branch_filter_strategy: "regex", push_events_branch_filter: "^feat" }),
  ],
  [/without branch_filter_strategy/, send({ push_events_branch_filter: "release/*" })],
] as const;

export const hooks: Endpoints = {
  [`GET ${PATH}`]: {
    base: [hook],
    rules: [
      [/returns all hooks/, some],
      [/user is forbidden/, as("developer")],
      [/names of the url variables/, check(([row]) => expect(row.url_variables).toEqual([{ key: "abc" }]))],
      [
        /names of the custom headers/,
        check(([row]) => expect(row.custom_headers).toEqual([{ key: "X-Old" }])),
      ],
    ],
  },
  [`GET ${PATH}/:hook_id`]: {
    base: [hook],
    rules: [
      [/returns a project hook/, answers({ url: CLOSED })],
      [/not available/, missing("hook_id")],
      [/user is forbidden/, as("developer")],
      [/hook is disabled/, alert("for good"), answers({ alert_status: "disabled" })],
      [/backed-off/, alert("for now"), answers({ alert_status: "temporarily_disabled" })],
    ],
  },
  [`POST ${PATH}`]: {
    base: [send({ url: CLOSED })],
    rules: [
      [
        /adds hook/,
        send({ name: "hook", merge_requests_events: true }),
        answers({ merge_requests_events: true }),
      ],
      [
        /adds the token/,
        send({ token: "secret token" }),
        check((body) => expect(body).not.toHaveProperty("token")),
      ],
      [/url not given/, only({ token: "abc" })],
      [/no parameters/, only({})],
      [
        /default values/,
        answers({ push_events: true, tag_push_events: false, enable_ssl_verification: true }),
      ],
      [/token not valid/, send({ token: "foo\nbar" })],
      [/url not valid/, send({ url: "ftp://example.com" })],
      [
        /when setting push_events_branch_filter > /,
        send({ push_events_branch_filter: "some-feature-branch" }),
      ],
      [
        /regex with branch_filter_strategy|branch_filter_strategy regex/,
        send({ branch_filter_strategy: "regex", push_events_branch_filter: "^feat" }),
        answers({ branch_filter_strategy: "regex" }),
      ],
      [/strategy is not valid/, send({ branch_filter_strategy: "unknown" })],
      [/branch_filter is not valid/, send({ push_events_branch_filter: "~badbranchname/" })],
    ],
  },
  [`PUT ${PATH}/:hook_id`]: {
    base: [hook, send({ url: "http://127.0.0.1:9/new" })],
    rules: [
      [/updates an existing hook/, send({ push_events: false }), answers({ push_events: false })],
      [/updates the URL variables/, send({ url_variables: [{ key: "def", value: "2" }] })],
      [/updates the custom headers/, send({ custom_headers: [{ key: "X-New", value: "2" }] })],
      [
        /adds the token/,
        send({ token: "secret" }),
        check((body) => expect(body).not.toHaveProperty("token")),
      ],
      [/not found/, missing("hook_id")],
      [/no parameters/, only({})],
      [/url is not valid/, send({ url: "ftp://example.com" })],
      [/token is not valid/, send({ token: "foo\nbar" })],
      ...BRANCH_FILTERS,
    ],
  },
  [`DELETE ${PATH}/:hook_id`]: {
    base: [hook],
    rules: [
      [/deletes hook/, noBody],
      [/non existent/, missing("hook_id")],
      [/do not own/, as("developer")],
    ],
  },
  [`PUT ${PATH}/:hook_id/url_variables/:key`]: {
    base: [hook, path({ key: "other" }), send({ value: "some secret value" })],
    rules: [
      [/sets the variable/, noBody],
      [/overwrites/, path({ key: "abc" }), noBody],
      [/non existent/, missing("hook_id")],
      [/key is illegal/, path({ key: "-not-a-key-" })],
      [/value is illegal/, send({ value: "x".repeat(2049) })],
    ],
  },
  [`DELETE ${PATH}/:hook_id/url_variables/:key`]: {
    base: [hook, path({ key: "abc" })],
    rules: [
      [/unsets/, noBody],
      [/keys that do not exist/, path({ key: "unknown" })],
      [/non existent/, missing("hook_id")],
    ],
  },
  [`PUT ${PATH}/:hook_id/custom_headers/:key`]: {
    base: [hook, path({ key: "X-Other" }), send({ value: "some-value" })],
    rules: [
      [/sets the custom header/, noBody],
      [/overwrites/, path({ key: "X-Old" }), noBody],
      [/non existent/, missing("hook_id")],
      [/key is illegal/, path({ key: "$NOT$A$KEY$" })],
      [/key has leading/, path({ key: " leading" })],
      [/key has trailing/, path({ key: "trailing " })],
      [/value is illegal/, send({ value: "x".repeat(4097) })],
      [/more than one line/, send({ value: "a\nb" })],
      [/value has leading/, send({ value: " leading" })],
      [/value has trailing/, send({ value: "trailing " })],
      [/url encoded/, send({ value: "a%0d%0ab" })],
      [/backslash encoded/, send({ value: String.raw`a\r\nb` })],
    ],
  },
  [`DELETE ${PATH}/:hook_id/custom_headers/:key`]: {
    base: [hook, path({ key: "X-Old" })],
    rules: [
      [/unsets/, noBody],
      [/keys that do not exist/, path({ key: "X-Unknown" })],
      [/non existent/, missing("hook_id")],
    ],
  },
  [`POST ${PATH}/:hook_id/test/:trigger`]: {
    base: [hook, answering, path({ trigger: "push_events" })],
    rules: [
      [/push_events/, path({ trigger: "push_events" })],
      [/issue_events/, path({ trigger: "issues_events" })],
      [/note_events/, path({ trigger: "note_events" })],
      [/note_events > executes/, mergeRequest, note],
      [/merge_request_events/, path({ trigger: "merge_requests_events" })],
      [/merge_request_events > executes/, mergeRequest],
      [/job_events/, path({ trigger: "job_events" })],
      [/pipeline_events/, path({ trigger: "pipeline_events" })],
      [/wiki_page_events/, path({ trigger: "wiki_page_events" })],
      [/release_events/, path({ trigger: "releases_events" })],
      [/resource_access_token_events/, path({ trigger: "resource_access_token_events" })],
      [/testing is not available/, path({ trigger: "deployment_events" })],
      [/trigger is invalid/, path({ trigger: "unknown_events" })],
    ],
  },
  [`POST ${PATH}/:hook_id/events/:hook_log_id/resend`]: {
    base: [hookWithCall],
    rules: [
      [/successfully posts/, given(() => {})],
      [/log not found/, missing("hook_log_id")],
      [/not authorized/, as("developer")],
      [/returns 422/, given((s) => s.api("PUT", oneOf(s), { url: "http://127.0.0.1:9/other" }))],
    ],
  },
  [`GET ${PATH}/:hook_id/events`]: {
    base: [hookWithCall],
    rules: [
      [/past 7 days/, some],
      [/hook not found/, path({ hook_id: NOWHERE })],
      [/exceed 20/, query({ per_page: 21 })],
      [/response_status number/, query({ status: 200 })],
      [/invalid status/, query({ status: "unknown" })],
      [/unauthorized user/, as("developer")],
    ],
  },
};

function alert(failing: "for good" | "for now"): Step {
  return ({ world, path: parts, checks }) => {
    const { rows, settings } = world.scene.sandbox;
    const row = rows.hooks.get(Number(parts["hook_id"]));
    if (!row) return;
    settings.autoDisableWebhooks = true; // not the default of 18.9; the specs' own set-up has it on
    checks.push(() => void (settings.autoDisableWebhooks = null));
    row.disabledForGood = failing === "for good";
    row.recentFailures = 40;
    row.disabledUntil = failing === "for now" ? Date.now() + 3_600_000 : null;
  };
}

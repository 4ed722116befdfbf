import { expect } from "vitest";
import { answers, as, check, given, lists, missing, none, only, query, send, some } from "../steps.ts";
import type { Endpoints, Situation, Step } from "../situation.ts";

const PATH = "/projects/:id/environments";
const ONE = `${PATH}/:environment_id`;

function environment(name = "production", more: object = {}): Step {
  return async (situation) => {
    const place = `/projects/${situation.project.id}/environments`;
    situation.path["environment_id"] = (await situation.api("POST", place, { name, ...more })).id;
  };
}

const stopped: Step = async ({ api, project, path }) => {
  await api("POST", `/projects/${project.id}/environments/${path["environment_id"]}/stop`, {});
};

const OLD_TIER = { auto_stop_setting: "always" };

export const environments: Endpoints = {
  [`GET ${PATH}`]: {
    base: [environment(), environment("review/a")],
    rules: [
      [/returns project environments/, check((rows) => expect(rows).toHaveLength(2))],
      [/environment by name$/, query({ name: "production" }), lists("name", "production")],
      [/by non-existent name$/, query({ name: "unknown" }), none],
      [/environments by name_like/, query({ search: "prod" }), lists("name", "production")],
      [/non-existent name_like/, query({ search: "unknown" }), none],
      [/less than .* characters/, query({ search: "ab" })],
      [/by valid state/, query({ states: "available" }), some],
      [/state is not specified/, stopped, check((rows) => expect(rows).toHaveLength(2))],
      [/by invalid state/, query({ states: "test" })],
    ],
  },
  [`POST ${PATH}`]: {
    base: [as("developer"), send({ name: "mepmep" })],
    rules: [
      [
        /with valid params/,
        send({ tier: "staging", description: "d" }),
        answers({ slug: "mepmep", tier: "staging" }),
      ],
      [/auto_stop_setting/, send({ tier: "development", auto_stop_setting: "always" }), answers(OLD_TIER)],
      [/namespace but no cluster agent$/, send({ kubernetes_namespace: "default" })],
      [/path but no cluster agent and/, send({ flux_resource_path: "a/b" })],
      [/path but no cluster agent$/, send({ kubernetes_namespace: "default", flux_resource_path: "a/b" })],
      [/non existing cluster agent/, send({ cluster_agent_id: 99_999 })],
      [/requires name/, only({ external_url: "https://test.gitlab.com" })],
      [/already exists/, environment("mepmep")],
      [/slug is specified/, send({ slug: "foo" })],
      [/a non member/, as("stranger")],
    ],
  },
  [`POST ${PATH}/stop_stale`]: {
    base: [
      environment(),
      as("maintainer"),
      send({ before: new Date(Date.now() - 7 * 86_400_000).toISOString() }),
    ],
    rules: [
      [/returns a 200/, given(() => {})],
      [/bad input date/, send({ before: new Date(Date.now() - 3_600_000).toISOString() })],
    ],
  },
  [`PUT ${ONE}`]: {
    base: [environment(), as("maintainer")],
    rules: [
      [
        /external_url is changed/,
        send({ external_url: "https://m.com" }),
        answers({ external_url: "https://m.com" }),
      ],
      [/description is changed/, send({ description: "new" }), answers({ description: "new" })],
      [/tier is changed/, send({ tier: "production" }), answers({ tier: "production" })],
      [
        /setting is changed/,
        send({ auto_stop_setting: "with_action" }),
        answers({ auto_stop_setting: "with_action" }),
      ],
      [/namespace but no cluster agent$/, send({ kubernetes_namespace: "default" })],
      [/path but no cluster agent and/, send({ flux_resource_path: "a/b" })],
      [/path but no cluster agent$/, send({ kubernetes_namespace: "default", flux_resource_path: "a/b" })],
      [/non existing cluster agent/, send({ cluster_agent_id: 99_999 })],
      [/slug to be changed/, send({ slug: "other", external_url: "https://m.com" })],
      [/does not exist/, missing("environment_id"), send({ external_url: "https://m.com" })],
    ],
  },
  [`DELETE ${ONE}`]: {
    base: [environment(), as("maintainer")],
    rules: [
      [/environment isn/, given(() => {})],
      [/stopped environment/, stopped],
      [/non existing id/, missing("environment_id")],
      [/a non member/, as("stranger")],
    ],
  },
  [`POST ${ONE}/stop`]: {
    base: [environment(), as("maintainer")],
    rules: [
      [/with a stoppable environment > returns/, answers({ state: "stopped" })],
      [/with a stopped environment/, stopped],
      [/as a developer/, as("developer"), answers({ state: "stopped" })],
      [/non existing id/, missing("environment_id")],
      [/a non member/, as("stranger")],
    ],
  },
  [`GET ${ONE}`]: {
    base: [environment()],
    rules: [
      [
        /returns project environments > returns expected/,
        answers({ name: "production", state: "available" }),
      ],
      [
        /auto_stop_at is present/,
        autoStop("2099-01-01T00:00:00.000Z"),
        answers({ auto_stop_at: "2099-01-01T00:00:00.000Z" }),
      ],
      [/auto_stop_at is not present/, answers({ auto_stop_at: null })],
      [/does not expose the cluster agent/, check((body) => expect(body.cluster_agent ?? null).toBeNull())],
    ],
  },
  [`DELETE ${PATH}/review_apps`]: {
    base: [environment("review/a"), stopped, as("maintainer")],
    rules: [
      [/old stopped review apps/, given(() => {})],
      [/as a reporter/, as("reporter")],
      [/non member/, as("stranger")],
    ],
  },
};

function autoStop(at: string): Step {
  return ({ world, path }: Situation) => {
    const rows = Reflect.get(world.scene.sandbox.rows, "environments") as Map<number, object> | undefined;
    const row = rows?.get(Number(path["environment_id"]));
    if (row) Object.assign(row, { autoStopAt: at });
  };
}

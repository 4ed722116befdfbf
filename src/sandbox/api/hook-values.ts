import { text } from "../params.ts";
import { noContent, notFound, refuseAsError, type Reply } from "../reply.ts";
import { route, type Call, type Route } from "../route.ts";
import type { Hook, KeyValue } from "../state.ts";
import { beforeHooks as before, getHook, hookPath } from "./find-hook.ts";
import { isHeader, isVariable } from "./hook-input.ts";

const path = "/projects/:id/hooks/:hook_id";

interface Kind {
  readonly name: string;
  readonly of: (hook: Hook) => readonly KeyValue[];
  readonly put: (hook: Hook, pairs: readonly KeyValue[]) => void;
  readonly isGood: (pair: KeyValue) => boolean;
}

const VARIABLES: Kind = {
  name: "URL variable",
  of: (hook) => hook.urlVariables,
  put: (hook, pairs) => (hook.urlVariables = pairs),
  isGood: isVariable,
};
const HEADERS: Kind = {
  name: "Custom header",
  of: (hook) => hook.customHeaders,
  put: (hook, pairs) => (hook.customHeaders = pairs),
  isGood: isHeader,
};

const keyed = { ...hookPath, key: text };
const given = { ...keyed, value: text };

/** Single URL variables and custom headers: their values go in and never come out. */
export const hookValueRoutes: readonly Route[] = [
  route({
    method: "PUT",
    path: `${path}/url_variables/:key`,
    since: "hookUrlVariables",
    before,
    params: given,
    handle: (call, { hook_id, ...pair }) => put(call, hook_id, VARIABLES, pair),
  }),
  route({
    method: "DELETE",
    path: `${path}/url_variables/:key`,
    since: "hookUrlVariables",
    before,
    params: keyed,
    handle: (call, { hook_id, key }) => remove(call, hook_id, VARIABLES, key),
  }),
  route({
    method: "PUT",
    path: `${path}/custom_headers/:key`,
    since: "hookCustomHeaders",
    before,
    params: given,
    handle: (call, { hook_id, ...pair }) => put(call, hook_id, HEADERS, pair),
  }),
  route({
    method: "DELETE",
    path: `${path}/custom_headers/:key`,
    since: "hookCustomHeaders",
    before,
    params: keyed,
    handle: (call, { hook_id, key }) => remove(call, hook_id, HEADERS, key),
  }),
];

function put(call: Call, hookId: number, kind: Kind, pair: KeyValue): Reply {
  const hook = getHook(call, hookId);
  if (!kind.isGood(pair)) throw refuseAsError(422, "Illegal key or value");
  kind.put(hook, [...kind.of(hook).filter(({ key }) => key !== pair.key), pair]);
  return noContent();
}

function remove(call: Call, hookId: number, kind: Kind, key: string): Reply {
  const hook = getHook(call, hookId);
  const left = kind.of(hook).filter((pair) => pair.key !== key);
  if (left.length === kind.of(hook).length) throw notFound(kind.name);
  kind.put(hook, left);
  return noContent();
}

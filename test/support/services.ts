import { Fault } from "../../src/faults/fault.ts";
import type { AppView } from "../../src/apps/apps.ts";
import type { ConnectionView } from "../../src/connections/connections.ts";
import type { DeploymentView } from "../../src/deployments/deployments.ts";
import type { Diagnosis } from "../../src/doctor/diagnosis.ts";
import type { Services } from "../../src/http/services.ts";
import type { DeliveryView } from "../../src/pushes/pushes.ts";

/** What the HTTP server and the commands are tested with: each service is an object whose every call fails until a test says what it does. */
type Parts = { [K in keyof Services]?: Partial<Services[K]> };

export function fakeServices(parts: Parts = {}): Services {
  const part = (name: keyof Services, always: object = {}): never =>
    new Proxy(
      { ...always, ...parts[name] },
      {
        get: (target, call) =>
          Reflect.get(target, call) ??
          (() => Promise.reject(new Error(`unexpected ${name}.${String(call)}`))),
      },
    ) as never;
  return {
    connections: part("connections", { list: async () => [] }),
    browser: part("browser"),
    apps: part("apps"),
    deployments: part("deployments"),
    pushes: part("pushes"),
    doctor: part("doctor"),
    check: (parts.check as Services["check"]) ?? (() => Promise.reject(new Error("unexpected check"))),
  };
}

export const notFound = (): Promise<never> => Promise.reject(Fault.of("NOT_FOUND", ""));

const then = new Date("2026-11-23T14:02:11.000Z");

export const connection: ConnectionView = {
  id: "con_1",
  name: "git.acme.lan",
  baseUrl: "https://git.acme.lan/",
  webUrl: "https://git.acme.lan",
  version: "18.9.2",
  edition: "ee",
  reachedBy: [],
  tokenKind: "personal",
  tokenName: "deploy",
  tokenScopes: ["api"],
  tokenScopesKnownBy: "self",
  tokenExpiresAt: "2026-12-07",
  username: "deploy-bot",
  createdAt: then,
  checkedAt: then,
  trouble: null,
  pausedAt: null,
  rotateBeforeDays: null,
  rotateForDays: 90,
};

export const diagnosis: Diagnosis = {
  schema: 1,
  ok: true,
  instance: { url: "https://git.acme.lan", version: "18.9.2", edition: "ee" },
  token: {
    kind: "personal",
    name: "deploy",
    scopes: ["api"],
    scopesKnownBy: "self",
    expiresAt: "2026-12-07",
    user: "deploy-bot",
  },
  checks: [
    {
      id: "net.tcp",
      state: "ok",
      title: "Answers",
      evidence: null,
      evidenceSource: "live",
      fix: null,
      ms: 12,
    },
    {
      id: "token.expiry",
      state: "warn",
      title: "Expires in 14 days",
      evidence: "2026-12-07",
      evidenceSource: "live",
      fix: "Make the next one",
      ms: 1,
    },
  ],
  error: null,
};

export const app: AppView = {
  id: "app_1",
  name: "shop",
  connection: "git.acme.lan",
  project: { id: 42, path: "acme/shop", webUrl: "https://git.acme.lan/acme/shop" },
  hook: { state: "active", signed: true, reason: null },
  deployKeyId: 7,
  build: { kind: "node", start: ["node", "server.js"] },
  environments: [
    {
      id: "env_1",
      name: "production",
      branch: "main",
      host: "shop.localhost",
      url: "http://shop.localhost:8080",
      liveReleaseId: "rel_1",
      liveCommit: "3f2a9c1b00000000000000000000000000000000",
      wantedCommit: "3f2a9c1b00000000000000000000000000000000",
    },
  ],
  createdAt: then,
};

export const deployment: DeploymentView = {
  id: "dep_1",
  number: 12,
  app: "shop",
  environment: "production",
  state: "live",
  cause: "push",
  commit: "3f2a9c1b00000000000000000000000000000000",
  ref: "main",
  title: "Fix cart",
  author: "Ada",
  releaseId: "rel_1",
  attempt: 1,
  url: "http://shop.localhost:8080",
  fault: null,
  steps: [
    {
      name: "check out",
      attempt: 1,
      state: "done",
      startedAt: then,
      finishedAt: new Date(then.getTime() + 200),
    },
    {
      name: "build",
      attempt: 1,
      state: "done",
      startedAt: then,
      finishedAt: new Date(then.getTime() + 3100),
    },
  ],
  createdAt: then,
  startedAt: then,
  finishedAt: new Date(then.getTime() + 4600),
};

export const delivery: DeliveryView = {
  id: "dlv_1",
  project: "acme/shop",
  receivedAt: then,
  event: "push",
  ref: "refs/heads/feature/x",
  state: "processed",
  verdict: "ignored",
  reason: "branch feature/x is not deployed",
  trace: ["the head of feature/x is 3f2a9c1b"],
  deployments: [],
  processedAt: then,
};

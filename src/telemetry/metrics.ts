import { collectDefaultMetrics, Counter, Histogram, Registry } from "prom-client";

/** What Fairlead counts. Labels come from short fixed lists only: never a name, a path or anything a stranger chose. */
export interface Metrics {
  /** How the receiver answered a webhook call: `accepted`, `ignored`, `refused`, `unknown_hook`, `malformed`. */
  countWebhook(answer: string): void;
  /** A call with a wrong secret: also one `countWebhook("refused")`. */
  countBadSecret(): void;
  /** A deployment that ended: its last state and the seconds since it was queued. */
  observeDeployment(state: string, seconds: number): void;
  observeStep(step: string, seconds: number): void;
  /** `route` is the pattern (`/api/v1/apps/:app`), not the path. */
  observeRequest(request: { method: string; route: string; status: number; seconds: number }): void;
  /** The Prometheus text format. */
  render(): Promise<{ readonly contentType: string; readonly body: string }>;
}

const REQUEST_SECONDS = [0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10];
const DEPLOYMENT_SECONDS = [0.5, 1, 2, 5, 10, 20, 40, 80, 160, 320, 640, 1280];

/** A registry of its own, so that two servers in one process (as tests have) do not share counts. */
export function createMetrics(): Metrics {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const counter = <L extends string>(name: string, help: string, labelNames: L[]): Counter<L> =>
    new Counter({ name, help, labelNames, registers: [registry] });
  const histogram = <L extends string>(
    name: string,
    help: string,
    labelNames: L[],
    buckets: number[],
  ): Histogram<L> => new Histogram({ name, help, labelNames, buckets, registers: [registry] });

  const webhooks = counter("fairlead_webhooks_total", "Webhook calls by answer", ["answer"]);
  const badSecrets = counter("fairlead_bad_secrets_total", "Webhook calls with a wrong secret", []);
  const deployments = counter("fairlead_deployments_total", "Ended deployments by last state", ["state"]);
  const deployed = histogram(
    "fairlead_deployment_seconds",
    "From queued to ended",
    ["state"],
    DEPLOYMENT_SECONDS,
  );
  const steps = histogram(
    "fairlead_deployment_step_seconds",
    "Length of each step",
    ["step"],
    DEPLOYMENT_SECONDS,
  );
  const requests = histogram(
    "fairlead_http_request_seconds",
    "Answered requests",
    ["method", "route", "status"],
    REQUEST_SECONDS,
  );
  return {
    countWebhook: (answer) => webhooks.inc({ answer }),
    countBadSecret: () => badSecrets.inc(),
    observeDeployment: (state, seconds) => {
      deployments.inc({ state });
      deployed.observe({ state }, seconds);
    },
    observeStep: (step, seconds) => steps.observe({ step }, seconds),
    observeRequest: ({ method, route, status, seconds }) =>
      requests.observe({ method, route, status: String(status) }, seconds),
    render: async () => ({ contentType: registry.contentType, body: await registry.metrics() }),
  };
}

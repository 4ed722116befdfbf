import { expect, test } from "vitest";
import { createMetrics } from "./metrics.ts";

test("counts what happened, apart for each registry", async () => {
  const [metrics, other] = [createMetrics(), createMetrics()];
  metrics.countWebhook("accepted");
  metrics.countWebhook("ignored");
  metrics.countWebhook("ignored");
  metrics.countBadSecret();
  metrics.observeDeployment("live", 3);
  metrics.observeStep("build", 2);
  metrics.observeRequest({ method: "GET", route: "/api/v1/apps", status: 200, seconds: 0.004 });
  const { body } = await metrics.render();
  for (const line of [
    'fairlead_webhooks_total{answer="ignored"} 2',
    "fairlead_bad_secrets_total 1",
    'fairlead_deployments_total{state="live"} 1',
    'fairlead_deployment_seconds_sum{state="live"} 3',
    'fairlead_deployment_step_seconds_count{step="build"} 1',
    'fairlead_http_request_seconds_bucket{le="0.005",method="GET",route="/api/v1/apps",status="200"} 1',
    "process_resident_memory_bytes",
  ]) {
    expect(body).toContain(line);
  }
  expect((await other.render()).body).not.toContain('answer="ignored"');
});

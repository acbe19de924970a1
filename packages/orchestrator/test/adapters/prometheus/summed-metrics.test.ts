import { expect, test } from "vitest";
import { summedMetrics } from "../../../src/adapters/prometheus/index.ts";
import { describeMetrics } from "../../../src/testing/metrics-contract.ts";
import { metricsRecorder } from "../../../src/testing/metrics-recorder.ts";

describeMetrics("sums in front of another", async () => {
  const inner = metricsRecorder();
  return {
    metrics: summedMetrics(inner.metrics),
    arrived: async () => inner.told,
    [Symbol.asyncDispose]: async () => {},
  };
});

test("sums are told as a page, by name and tags", () => {
  const metrics = summedMetrics(undefined);
  expect(metrics.page()).toBe("");
  metrics.count("gateway_refusals", { reason: "expired" });
  metrics.count("gateway_refusals", { reason: "expired" }, 2);
  metrics.count("gateway_refusals", { reason: "forged" });
  metrics.gauge("model_calls_open", 4, {});
  metrics.gauge("model_calls_open", 3, {});
  metrics.timing("run_duration_ms", 10.4, { outcome: "failed" });
  metrics.timing("run_duration_ms", 20, { outcome: "failed" });
  const lines = metrics.page().split("\n");
  expect(lines.filter((line) => !line.startsWith("#"))).toEqual([
    'speckit_run_duration_ms_sum{outcome="failed"} 30',
    'speckit_run_duration_ms_count{outcome="failed"} 2',
    "speckit_model_calls_open 3",
    'speckit_gateway_refusals_total{reason="expired"} 3',
    'speckit_gateway_refusals_total{reason="forged"} 1',
    "",
  ]);
  expect(lines).toContain("# TYPE speckit_gateway_refusals_total counter");
});

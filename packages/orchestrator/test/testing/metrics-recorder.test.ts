import { expect, test } from "vitest";
import { describeMetrics } from "../../src/testing/metrics-contract.ts";
import { metricsRecorder } from "../../src/testing/metrics-recorder.ts";

describeMetrics("the recorder", async () => {
  const { metrics, told } = metricsRecorder();
  return {
    metrics,
    arrived: async () => told,
    [Symbol.asyncDispose]: async () => undefined,
  };
});

test("a counter is summed over the tags that are not asked for", () => {
  const { metrics, counted } = metricsRecorder();
  metrics.count("retries", { class: "transient" });
  metrics.count("retries", { class: "timeout" }, 2);
  expect(counted("retries")).toBe(3);
  expect(counted("retries", { class: "timeout" })).toBe(2);
  expect(counted("takeovers")).toBe(0);
});

import { expect, test } from "vitest";
import { METRICS, type MetricFacts, tagOf } from "../../src/ports/metrics.ts";

const all: readonly (readonly [string, MetricFacts])[] = Object.entries(METRICS);

test("names and tags have nothing in them that means something to StatsD", () => {
  for (const [name, { tags }] of all) {
    expect(name).toMatch(/^[a-z][a-z_]*$/);
    for (const [tag, values] of Object.entries(tags)) {
      expect(tag).toMatch(/^[a-z]+$/);
      expect(values.length, `${name} ${tag}`).toBeGreaterThan(1);
      expect(new Set(values).size, `${name} ${tag}`).toBe(values.length);
      for (const value of values) {
        expect(value).toMatch(/^[A-Za-z_]+$/);
      }
    }
  }
});

test("a metric makes few series: no tag grows with the runs there are", () => {
  for (const [name, { tags }] of all) {
    const series = Object.values(tags).reduce((product, values) => product * values.length, 1);
    expect(series, name).toBeLessThan(200);
  }
});

test("words of the domain become one word", () => {
  expect(tagOf("the run is over")).toBe("the_run_is_over");
});

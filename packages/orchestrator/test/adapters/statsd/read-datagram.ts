import type { ToldMetric } from "../../../src/testing/metrics-recorder.ts";

const KINDS = { c: "counter", ms: "timing", g: "gauge" } as const;

/** Reads one datagram as a StatsD server would. */
export function readDatagram(text: string, prefix: string): ToldMetric {
  const found = /^([a-z0-9_.]+):([0-9.]+)\|(c|ms|g)(?:\|#(.+))?$/.exec(text);
  if (!found?.[1]?.startsWith(prefix)) {
    throw new Error(`No datagram of StatsD: ${text}`);
  }
  const [, name = "", value = "", kind = "c", tags = ""] = found;
  return {
    kind: KINDS[kind as keyof typeof KINDS],
    name: name.slice(prefix.length),
    value: Number(value),
    tags: Object.fromEntries(
      tags
        .split(",")
        .filter((tag) => tag !== "")
        .map((tag) => tag.split(":")),
    ),
  };
}

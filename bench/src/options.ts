import { parseArgs } from "node:util";
import type { Sizes } from "./bench.ts";

export interface BenchOptions {
  readonly sizes: Sizes;
  /** Where raw samples go, undefined: nowhere. */
  readonly json: string | undefined;
  /** Parts to measure, all when empty. */
  readonly parts: readonly string[];
}

const USUAL: Sizes = {
  warmUp: { times: 20, ms: 3_000 },
  latency: { times: 200, ms: 10_000 },
  throughputMs: 6_000,
  slots: 16,
  idleMs: 40_000,
  outputBytes: 1_000_000_000,
  coldStarts: 7,
  attempts: { times: 20, ms: 240_000 },
  recordedBytes: 500_000_000,
  containerRuns: { times: 20, ms: 180_000 },
  workspaces: { times: 5, ms: 240_000 },
  largeRepository: { files: 50_000, historyBytes: 1_000_000_000 },
  streamedBytes: 400_000_000,
  kills: 20,
  killsWithoutLock: 20,
  outageMs: 5_000,
  watchMs: 15_000,
};

const QUICK: Sizes = {
  ...USUAL,
  warmUp: { times: 5, ms: 1_000 },
  latency: { times: 40, ms: 3_000 },
  throughputMs: 2_000,
  idleMs: 10_000,
  outputBytes: 200_000_000,
  coldStarts: 3,
  attempts: { times: 7, ms: 90_000 },
  recordedBytes: 200_000_000,
  containerRuns: { times: 7, ms: 60_000 },
  workspaces: { times: 3, ms: 120_000 },
  streamedBytes: 100_000_000,
  kills: 5,
  killsWithoutLock: 3,
  watchMs: 5_000,
};

/** Only whether it runs: what it measures means nothing. */
const SMOKE: Sizes = {
  ...QUICK,
  warmUp: { times: 1, ms: 1_000 },
  latency: { times: 2, ms: 1_000 },
  throughputMs: 200,
  idleMs: 1_000,
  outputBytes: 5_000_000,
  coldStarts: 1,
  attempts: { times: 1, ms: 1_000 },
  recordedBytes: 20_000_000,
  containerRuns: { times: 1, ms: 1_000 },
  workspaces: { times: 1, ms: 1_000 },
  largeRepository: { files: 300, historyBytes: 2_000_000 },
  streamedBytes: 5_000_000,
  kills: 1,
  killsWithoutLock: 0,
};

/** @throws Error with one line for people */
export function readOptions(args: readonly string[], parts: readonly string[]): BenchOptions {
  const { values } = parseArgs({
    args: [...args],
    options: {
      quick: { type: "boolean", default: false },
      smoke: { type: "boolean", default: false },
      json: { type: "string" },
      part: { type: "string", multiple: true, default: [] },
    },
  });
  const unknown = values.part.find((part) => !parts.includes(part));
  if (unknown !== undefined) {
    throw new Error(`--part: expected one of ${parts.join(", ")}, got ${JSON.stringify(unknown)}`);
  }
  return {
    sizes: values.smoke ? SMOKE : values.quick ? QUICK : USUAL,
    json: values.json,
    parts: values.part,
  };
}

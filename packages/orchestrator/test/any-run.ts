import type { SeededRandom } from "@speckit/testkit";
import { type ErrorCode, failure, OUTCOMES, type Phase } from "../src/index.ts";
import type { AttemptRow, RunRow, RunRows } from "../src/testing/memory/run-repository/rows.ts";
import { sampleAttempt, sampleEnd, sampleRun } from "../src/testing/sample-rows.ts";

const HOUR_MS = 3_600_000;
const CODES = [
  "GIT_UNREACHABLE",
  "PHASE_DEADLINE_EXCEEDED",
  "POSTCONDITION_FAILED",
  "QUESTIONS_UNANSWERED",
  "REPOSITORY_NOT_FOUND",
] as const satisfies readonly ErrorCode[];

/** Rows as a run of the last ten days could have left them; nothing happens near a full hour from now. */
export function anyRun(random: SeededRandom, nowMs: number): RunRows {
  // Half an hour off the full ones: nothing crosses the begin of a period while a test runs.
  const hoursAgo = random.int(240);
  const endMs = nowMs - hoursAgo * HOUR_MS - HOUR_MS / 2 - random.int(HOUR_MS / 4);
  const startMs = endMs - random.int(3 * HOUR_MS);
  const createdAt = nowMs - (hoursAgo + 4 + random.int(5)) * HOUR_MS - HOUR_MS / 2;
  const attempts = anyAttempts(random, startMs, endMs);
  const common: Partial<RunRow> = {
    repository: `owner/repository-${random.int(60)}`,
    agent: random.pick(["codex", "command", "scripted"]),
    startedAt: startMs,
  };
  if (random.oneIn(4)) {
    return sampleRun(createdAt, { ...common, ...anyLife(random, nowMs) }, attempts);
  }
  const outcome = random.pick(OUTCOMES);
  const why = outcome === "failed" ? failure(random.pick(CODES), "It failed") : null;
  return sampleRun(
    createdAt,
    {
      ...common,
      ...sampleEnd(outcome, endMs),
      failure: why,
      ...(random.oneIn(9) ? { startedAt: null } : {}),
    },
    attempts,
  );
}

function anyLife(random: SeededRandom, nowMs: number): Partial<RunRow> {
  return {
    epoch: random.int(3),
    phaseIx: random.int(6),
    dueAt: nowMs + random.pick([-HOUR_MS, HOUR_MS]),
    parkedFor: random.pick([null, null, "input", "credential", "fence"]),
    ...(random.oneIn(3)
      ? { leaseOwner: 1, leaseUntil: nowMs + random.pick([-HOUR_MS, HOUR_MS]) }
      : {}),
  };
}

function anyAttempts(random: SeededRandom, startMs: number, endMs: number): readonly AttemptRow[] {
  const phases = (["prepare", "specify", "plan", "tasks", "publish", "cleanup"] as const).slice(
    0,
    random.int(7),
  );
  return phases.flatMap((phase) => {
    const starts = 1 + (random.oneIn(3) ? random.int(4) : 0);
    return Array.from({ length: starts }, (_, ix) =>
      anyAttempt(random, phase, ix + 1, ix + 1 < starts, startMs, endMs),
    );
  });
}

function anyAttempt(
  random: SeededRandom,
  phase: Phase,
  attempt: number,
  mustFail: boolean,
  startMs: number,
  endMs: number,
): AttemptRow {
  const startedAt = startMs + random.int(endMs - startMs + 1);
  const hasFailed = mustFail || random.oneIn(5);
  const tokens = random.int(3) * random.int(100_000);
  return sampleAttempt(phase, startedAt, random.int(30 * 60_000), {
    attempt,
    ...(hasFailed ? { state: "failed", failure: failure(random.pick(CODES), "It failed") } : {}),
    ...(random.oneIn(3)
      ? {}
      : {
          usage: {
            inputTokens: tokens,
            cachedInputTokens: Math.floor(tokens / 3),
            outputTokens: random.int(5_000) * (tokens === 0 ? 0 : 1),
            costUsd: random.oneIn(4) ? null : random.int(1_000) / 1_000,
          },
        }),
  });
}

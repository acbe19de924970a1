import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { statisticsSchema } from "../contract/statistics.ts";
import { failure } from "../domain/failure.ts";
import type { RunStatisticsReader } from "../ports/run-statistics.ts";
import type { RunRows } from "./memory/run-repository/rows.ts";
import { sampleAttempt, sampleEnd, sampleRun } from "./sample-rows.ts";

export interface RunStatisticsUnderTest extends AsyncDisposable {
  readonly statistics: RunStatisticsReader;
  readonly nowMs: () => number;
  readonly store: (rows: readonly RunRows[]) => Promise<void>;
}

const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;
const WEEK = { sinceMs: 7 * DAY_MS, targetMs: 20 * MINUTE_MS };
const NOTHING = { count: 0, p50Ms: null, p95Ms: null };

/** What people rely on of the numbers about runs, as Vitest tests. */
export function describeRunStatistics(
  name: string,
  open: () => Promise<RunStatisticsUnderTest>,
): void {
  describe(`RunStatisticsReader: ${name}`, () => {
    let under: RunStatisticsUnderTest;
    beforeEach(async () => {
      under = await open();
    });
    afterEach(() => under[Symbol.asyncDispose]());

    test("without runs every day is there with nothing in it, and no goal is met or missed", async () => {
      const told = statisticsSchema.parse(await under.statistics.statistics(WEEK));
      expect(told.days).toHaveLength(8);
      expect(told.days.at(-1)).toMatchObject({ submitted: 0, succeeded: 0, failed: 0 });
      expect(told.slo).toMatchObject({ counted: 0, isMet: null, working: { share: null } });
      expect(told).toMatchObject({ phases: [], workingTime: NOTHING, queueWait: NOTHING });
      expect(told.usage).toMatchObject({ total: { runs: 0, costUsd: 0 }, byAgent: [] });
      expect(told.live).toEqual({ carried: 0, waiting: [] });
    });

    test("waiting is in the wall time and not in the working time; failed is missed, what people ended is not counted", async () => {
      const begin = under.nowMs() - 2 * 3_600_000;
      const end = begin + 90 * MINUTE_MS;
      const work = (minutes: number) => [
        sampleAttempt("specify", begin + MINUTE_MS, minutes * MINUTE_MS),
        sampleAttempt("cleanup", end, 30 * MINUTE_MS),
        sampleAttempt("publish", end, 0, { attempt: 0, state: "skipped", startedAt: null }),
      ];
      const startedAt = begin + 30_000;
      const permanent = failure("REPOSITORY_NOT_FOUND", "There is none");
      const silent = failure("QUESTIONS_UNANSWERED", "Nobody has answered");
      await under.store([
        sampleRun(begin, { ...sampleEnd("succeeded", end), startedAt }, work(20)),
        sampleRun(begin, { ...sampleEnd("no_changes", end), startedAt }, work(21)),
        sampleRun(begin, { ...sampleEnd("failed", end), failure: permanent, startedAt }, work(1)),
        sampleRun(begin, { ...sampleEnd("failed", end), failure: silent, startedAt }, work(1)),
        sampleRun(begin, sampleEnd("cancelled", begin + 1_000)),
        sampleRun(begin - 9 * DAY_MS, sampleEnd("succeeded", end - 9 * DAY_MS), work(1)),
      ]);
      const told = await under.statistics.statistics(WEEK);
      expect(told.slo).toEqual({
        targetMs: 1_200_000,
        goal: 0.95,
        counted: 3,
        failed: 1,
        working: { runs: 1, share: 1 / 3 },
        wall: { runs: 0, share: 0 },
        isMet: false,
      });
      expect(told.workingTime).toEqual({ count: 3, p50Ms: 20 * MINUTE_MS, p95Ms: 1_254_000 });
      expect(told.queueWait).toEqual({ count: 4, p50Ms: 30_000, p95Ms: 30_000 });
      const ends = { succeeded: 0, no_changes: 0, failed: 0, cancelled: 0, submitted: 0 };
      for (const day of told.days) {
        for (const what of Object.keys(ends) as (keyof typeof ends)[]) {
          ends[what] += day[what];
        }
      }
      expect(ends).toEqual({ succeeded: 1, no_changes: 1, failed: 2, cancelled: 1, submitted: 5 });
    });

    test("live runs are told by what they wait for, whenever they were stored", async () => {
      const nowMs = under.nowMs();
      const old = nowMs - 30 * DAY_MS;
      const later = nowMs + 3_600_000;
      const resting = { epoch: 3, dueAt: later };
      await under.store([
        sampleRun(old),
        sampleRun(old, { epoch: 1, leaseUntil: later, leaseOwner: 1 }),
        sampleRun(old, resting),
        sampleRun(old, { ...resting, phaseIx: 5 }),
        sampleRun(old, { ...resting, parkedFor: "credential" }),
        sampleRun(old, { ...resting, parkedFor: "fence" }),
        sampleRun(old, { ...resting, parkedFor: "input" }),
        sampleRun(old, { ...resting, parkedFor: "input" }, [
          sampleAttempt("specify", old, 1_000, { state: "proposed" }),
        ]),
      ]);
      const { live } = await under.statistics.statistics(WEEK);
      expect(live.carried).toBe(1);
      expect(live.waiting.map((wait) => [wait.for, wait.runs]).toSorted()).toEqual(
        ["approval", "credential", "fence", "input", "pull_request", "retry", "worker"].map(
          (wait) => [wait, 1],
        ),
      );
      expect(live.waiting[0]?.oldest).toBe(new Date(old).toISOString());
    });
  });
}

import { randomUUID } from "node:crypto";
import { describe, expect, test } from "vitest";
import { failure } from "../../domain/failure.ts";
import {
  claimed,
  found,
  LEASE_MS,
  owned,
  perTest,
  type RunRepositoryFactory,
  requestCancel,
} from "./subject.ts";

export function describeAttempts(factory: RunRepositoryFactory): void {
  describe("attempts", () => {
    const subject = perTest(factory);

    test("a phase's attempts are numbered from 1, each phase for itself", async () => {
      const { runs } = subject;
      const { runId, hold } = await owned(runs);
      const numbers: number[] = [];
      for (const phase of ["prepare", "prepare", "specify"] as const) {
        const attempt = await runs.startAttempt(hold, phase);
        numbers.push(attempt);
        await runs.commitAttempt(hold, {
          end: { phase, attempt, state: "interrupted" },
          events: [],
        });
      }
      expect(numbers).toEqual([1, 2, 1]);
      expect(await runs.attemptsOf(runId)).toMatchObject([
        { phase: "prepare", attempt: 1, state: "interrupted" },
        { phase: "prepare", attempt: 2, state: "interrupted" },
        { phase: "specify", attempt: 1, state: "interrupted" },
      ]);
      const events = await runs.eventsOf(runId, { afterSeq: 2, limit: 10 });
      expect(events).toMatchObject([
        { type: "phase.started", phase: "prepare", attempt: 1 },
        { type: "phase.started", phase: "prepare", attempt: 2 },
        { type: "phase.started", phase: "specify", attempt: 1 },
      ]);
    });

    test("at most one attempt of a run is open, also when ten are started at once", async () => {
      const { runs } = subject;
      const { runId, hold } = await owned(runs);
      const starts = await Promise.allSettled(
        Array.from({ length: 10 }, () => runs.startAttempt(hold, "specify")),
      );
      expect(starts.filter((start) => start.status === "fulfilled")).toHaveLength(1);
      const before = await subject.dump();
      await expect(runs.startAttempt(hold, "plan")).rejects.toThrow();
      expect(await subject.dump()).toEqual(before);
      expect(await runs.attemptsOf(runId)).toHaveLength(1);
    });

    test("an attempt whose owner died ended with that one's lease, not when somebody noticed", async () => {
      const { runs } = subject;
      const { runId, hold } = await owned(runs);
      const attempt = await runs.startAttempt(hold, "specify");
      await subject.passTime(5 * 3_600_000);
      const next = await claimed(runs, runId);
      const sinceMs = (next.run.leaseUntil?.getTime() ?? 0) - (next.leftAt?.getTime() ?? 0);
      expect(sinceMs).toBeGreaterThanOrEqual(5 * 3_600_000);
      expect(sinceMs).toBeLessThan(5 * 3_600_000 + 60_000);
      await runs.commitAttempt(next.hold, {
        end: {
          phase: "specify",
          attempt,
          state: "interrupted",
          ...(next.leftAt === null ? {} : { endedAt: next.leftAt }),
        },
        events: [],
      });
      const [row] = await runs.attemptsOf(runId);
      expect(row?.durationMs).toBeGreaterThan(LEASE_MS - 5_000);
      expect(row?.durationMs).toBeLessThanOrEqual(LEASE_MS);
    });

    test("an attempt ends neither before it began nor in the future, whatever its end is said to be", async () => {
      const { runs } = subject;
      for (const endedAt of [new Date(0), new Date(Date.now() + 86_400_000)]) {
        const { runId, hold } = await owned(runs);
        const attempt = await runs.startAttempt(hold, "specify");
        await runs.commitAttempt(hold, {
          end: { phase: "specify", attempt, state: "interrupted", endedAt },
          events: [],
        });
        const [row] = await runs.attemptsOf(runId);
        expect(row?.durationMs).toBeGreaterThanOrEqual(0);
        expect(row?.durationMs).toBeLessThan(60_000);
      }
    });

    test("of an ended run only cleanup starts, of a live one everything else", async () => {
      const { runs } = subject;
      const { runId, hold } = await owned(runs);
      await expect(runs.startAttempt(hold, "cleanup")).rejects.toThrow(/has not ended/);
      await runs.commitAttempt(hold, {
        events: [],
        outcome: { outcome: "failed", closing: () => ({ neverStarted: [], events: [] }) },
      });
      const before = await subject.dump();
      await expect(runs.startAttempt(hold, "publish")).rejects.toThrow(/has ended/);
      expect(await subject.dump()).toEqual(before);
      expect(await runs.startAttempt(hold, "cleanup")).toBe(1);
      expect(await runs.attemptsOf(runId)).toHaveLength(1);
    });

    test("a running attempt has a duration and no end, a closed one has both for good", async () => {
      const { runs } = subject;
      const { runId, hold } = await owned(runs);
      const attempt = await runs.startAttempt(hold, "prepare");
      const [running] = await runs.attemptsOf(runId);
      expect(running).toMatchObject({ endedAt: null, startedAt: expect.any(Date) });
      expect(running?.durationMs).toBeGreaterThanOrEqual(0);
      await runs.commitAttempt(hold, {
        end: { phase: "prepare", attempt, state: "succeeded" },
        events: [],
      });
      const [closed] = await runs.attemptsOf(runId);
      expect(closed?.endedAt?.getTime()).toBeGreaterThanOrEqual(
        closed?.startedAt?.getTime() ?? Number.NaN,
      );
      expect(await runs.attemptsOf(runId)).toEqual([closed]);
    });

    test("a closed attempt has what was found out", async () => {
      const { runs } = subject;
      const { runId, hold } = await owned(runs);
      const attempt = await runs.startAttempt(hold, "specify");
      const findings = [
        { check: "spec.exists", path: "specs/001-x/spec.md", expected: "a file", found: "none" },
      ];
      const end = {
        phase: "specify",
        attempt,
        state: "failed",
        failure: failure("POSTCONDITION_FAILED", "specify: 1 of 5 checks failed", { findings }),
        findings,
        openQuestions: [
          { id: "Q1", text: "Which provider?", options: [{ key: "A", text: "Google" }] },
        ],
        usage: { inputTokens: 5, cachedInputTokens: 1, outputTokens: 2, costUsd: null },
        changed: true,
      } as const;
      await runs.commitAttempt(hold, { end, events: [] });
      expect(await runs.attemptsOf(runId)).toMatchObject([end]);
    });

    test("an attempt that is not open cannot be closed, and nothing of that commit is stored", async () => {
      const { runs } = subject;
      const { hold } = await owned(runs);
      const attempt = await runs.startAttempt(hold, "prepare");
      const commit = {
        end: { phase: "prepare", attempt, state: "succeeded" },
        phaseIx: 1,
        events: [{ type: "phase.succeeded", phase: "prepare", attempt }],
      } as const;
      await runs.commitAttempt(hold, commit);
      const before = await subject.dump();
      await expect(runs.commitAttempt(hold, commit)).rejects.toMatchObject({ code: "RUN_FENCED" });
      await expect(
        runs.commitAttempt(hold, { ...commit, end: { ...commit.end, attempt: 7 } }),
      ).rejects.toMatchObject({ code: "RUN_FENCED" });
      expect(await subject.dump()).toEqual(before);
    });
  });

  describe("start tickets", () => {
    const subject = perTest(factory);

    test("of 20 uses at once, one counts", async () => {
      const { runs } = subject;
      const { hold } = await owned(runs);
      const attempt = await runs.startAttempt(hold, "specify");
      const uses = await Promise.all(
        Array.from({ length: 20 }, () => runs.useStartTicket(hold, "specify", attempt)),
      );
      expect(uses.filter(Boolean)).toHaveLength(1);
      expect(await runs.useStartTicket(hold, "specify", attempt)).toBe(false);
    });

    test("each attempt has its own, and none that is not open has one", async () => {
      const { runs } = subject;
      const { hold } = await owned(runs);
      const first = await runs.startAttempt(hold, "specify");
      expect(await runs.useStartTicket(hold, "specify", first + 1)).toBe(false);
      expect(await runs.useStartTicket(hold, "plan", first)).toBe(false);
      await runs.commitAttempt(hold, {
        end: { phase: "specify", attempt: first, state: "interrupted" },
        events: [],
      });
      expect(await runs.useStartTicket(hold, "specify", first)).toBe(false);
      const second = await runs.startAttempt(hold, "specify");
      expect(await runs.useStartTicket(hold, "specify", second)).toBe(true);
    });

    test("is refused once a cancel is requested", async () => {
      const { runs } = subject;
      const { runId, hold } = await owned(runs);
      const attempt = await runs.startAttempt(hold, "specify");
      await requestCancel(runs, runId, randomUUID());
      expect(await runs.useStartTicket(hold, "specify", attempt)).toBe(false);
    });

    test("is refused after the outcome, though the attempt is open", async () => {
      const { runs } = subject;
      const { hold } = await owned(runs);
      const attempt = await runs.startAttempt(hold, "specify");
      await runs.commitAttempt(hold, {
        events: [],
        outcome: { outcome: "failed", closing: () => ({ neverStarted: [], events: [] }) },
      });
      expect(await runs.useStartTicket(hold, "specify", attempt)).toBe(false);
    });
  });

  describe("feature directories", () => {
    const subject = perTest(factory);
    const allot = (highestInTree: number) => ({
      highestInTree,
      nameFor: (number: number) => `specs/${String(number).padStart(3, "0")}-x`,
    });

    test("ten runs of one repository at once get ten numbers in a row", async () => {
      const { runs } = subject;
      const owners = await Promise.all(Array.from({ length: 10 }, () => owned(runs)));
      const names = await Promise.all(
        owners.map(({ hold }) => runs.allotFeatureDirectory(hold, allot(3))),
      );
      expect([...names].sort()).toEqual(
        Array.from({ length: 10 }, (_, ix) => allot(0).nameFor(ix + 4)),
      );
      for (const [ix, { runId }] of owners.entries()) {
        expect((await found(runs, runId)).featureDirectory).toBe(names[ix]);
      }
    });

    test("a run keeps its number, whoever asks again and whatever the tree has then", async () => {
      const { runs } = subject;
      const { hold } = await owned(runs);
      expect(await runs.allotFeatureDirectory(hold, allot(0))).toBe("specs/001-x");
      const before = await subject.dump();
      const again = await Promise.all(
        [7, 8].map((high) => runs.allotFeatureDirectory(hold, allot(high))),
      );
      expect(again).toEqual(["specs/001-x", "specs/001-x"]);
      expect(await subject.dump()).toEqual(before);
    });

    test("the next number is past the tree's and past every allotted one of this repository", async () => {
      const { runs } = subject;
      const next = async (highestInTree: number, gitRemote = "https://example.org/a") => {
        const { hold } = await owned(runs, { gitRemote });
        return runs.allotFeatureDirectory(hold, allot(highestInTree));
      };
      expect(await next(41)).toBe("specs/042-x");
      expect(await next(0)).toBe("specs/043-x");
      expect(await next(50)).toBe("specs/051-x");
      expect(await next(0, "https://example.org/b")).toBe("specs/001-x");
    });

    test("a directory that has a name already is the run's, and uses up no number", async () => {
      const { runs } = subject;
      const named = await owned(runs);
      const mine = { ...allot(1), name: "api/specs/900-mine" };
      expect(await runs.allotFeatureDirectory(named.hold, mine)).toBe(mine.name);
      expect(await runs.allotFeatureDirectory(named.hold, allot(1))).toBe(mine.name);
      const other = await owned(runs);
      expect(await runs.allotFeatureDirectory(other.hold, allot(1))).toBe("specs/002-x");
    });
  });
}

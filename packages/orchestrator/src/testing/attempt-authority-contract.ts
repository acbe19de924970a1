import { randomUUID } from "node:crypto";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { AttemptAuthority } from "../ports/attempt-authority.ts";
import type { JobName } from "../ports/job-runtime.ts";
import { sampleModelCall } from "./sample-model-call.ts";

export interface AttemptAuthorityUnderTest extends AsyncDisposable {
  readonly authority: AttemptAuthority;
  /** An open attempt of a run that goes on, in a container unless said otherwise. */
  readonly attempt: (more?: {
    readonly container: boolean;
  }) => Promise<JobName & { tokenKey: string }>;
  readonly closeAttempt: (attempt: JobName) => Promise<void>;
  readonly endRun: (attempt: JobName) => Promise<void>;
  readonly requestCancel: (attempt: JobName) => Promise<void>;
  /** How long ago the attempt's provider was heard, as it is stored. null: never. */
  readonly heardAgoMs: (attempt: JobName) => Promise<number | null>;
}

/** What a gateway without a state of its own relies on, as Vitest tests. */
export function describeAttemptAuthority(
  name: string,
  open: () => Promise<AttemptAuthorityUnderTest>,
): void {
  describe(`AttemptAuthority: ${name}`, () => {
    let under: AttemptAuthorityUnderTest;
    beforeEach(async () => {
      under = await open();
    });
    afterEach(() => under[Symbol.asyncDispose]());

    const isLive = async (attempt: JobName): Promise<boolean> =>
      (await under.authority.liveAttempts([attempt])).length === 1;

    test("of ten uses of a start ticket at once, one counts", async () => {
      const attempt = await under.attempt();
      const uses = await Promise.all(
        Array.from({ length: 10 }, () => under.authority.useStartTicket(attempt)),
      );
      expect(uses.filter(Boolean)).toHaveLength(1);
      expect(await under.authority.useStartTicket(attempt)).toBe(false);
      expect(await isLive(attempt)).toBe(true);
    });

    test("a live attempt is told with its key and what it has used", async () => {
      const attempt = await under.attempt();
      const { runId, phase, attempt: ordinal, tokenKey } = attempt;
      const name = { runId, phase, attempt: ordinal };
      const nothing = {
        calls: 0,
        inputTokens: 0,
        cachedInputTokens: 0,
        outputTokens: 0,
        costUsd: 0,
      };
      expect(await under.authority.liveAttempts([name])).toEqual([
        { ...name, tokenKey, spent: nothing },
      ]);
      for (const call of [
        sampleModelCall(),
        sampleModelCall({ costUsd: null }),
        sampleModelCall({ outcome: "cut", usage: null, costUsd: null }),
      ]) {
        await under.authority.recordCall(name, randomUUID(), call);
      }
      const [live] = await under.authority.liveAttempts([name]);
      expect(live?.spent).toEqual({
        calls: 3,
        inputTokens: 2_000,
        cachedInputTokens: 128,
        outputTokens: 100,
        costUsd: 0.25,
      });
    });

    test.each([
      ["whose attempt is closed", "closeAttempt"],
      ["whose run has ended", "endRun"],
      ["whose run is to be cancelled", "requestCancel"],
    ] as const)("one %s is not live, and its ticket not to be had", async (_name, change) => {
      const attempt = await under.attempt();
      await under[change](attempt);
      expect(await isLive(attempt)).toBe(false);
      expect(await under.authority.useStartTicket(attempt)).toBe(false);
    });

    test("one that ends with its worker is not live, nor one that does not exist", async () => {
      const attempt = await under.attempt({ container: false });
      for (const name of [
        attempt,
        { ...attempt, attempt: 2 },
        { ...attempt, phase: "other" },
        { ...attempt, runId: randomUUID() },
        { ...attempt, runId: "'; no id" },
        { ...attempt, attempt: 1e12 },
        { ...attempt, attempt: 1.5 },
        { ...attempt, phase: "x".repeat(10_000) },
      ]) {
        expect(await isLive(name)).toBe(false);
        expect(await under.authority.useStartTicket(name)).toBe(false);
      }
      expect(await under.authority.liveAttempts([])).toEqual([]);
    });

    test("of many that are named, those that are live are told, each once", async () => {
      const [one, two, over] = [
        await under.attempt(),
        await under.attempt(),
        await under.attempt(),
      ];
      await under.closeAttempt(over);
      const unknown = Array.from({ length: 200 }, () => ({ ...one, runId: randomUUID() }));
      const live = await under.authority.liveAttempts([one, ...unknown, two, over]);
      expect(live.map(({ runId }) => runId).sort()).toEqual([one.runId, two.runId].sort());
    });

    test("when a provider was heard is noted, and never set back", async () => {
      const attempt = await under.attempt();
      await under.authority.liveAttempts([attempt]);
      expect(await under.heardAgoMs(attempt)).toBeNull();
      await under.authority.liveAttempts([{ ...attempt, heardAgoMs: 20_000 }]);
      const first = (await under.heardAgoMs(attempt)) ?? Number.NaN;
      expect(first).toBeGreaterThanOrEqual(20_000);
      expect(first).toBeLessThan(30_000);
      await under.authority.liveAttempts([{ ...attempt, heardAgoMs: 10 }]);
      expect(await under.heardAgoMs(attempt)).toBeLessThan(10_000);
      await under.authority.liveAttempts([{ ...attempt, heardAgoMs: 60_000 }]);
      expect(await under.heardAgoMs(attempt)).toBeLessThan(15_000);
    });

    test("a call that is recorded twice under one id is one", async () => {
      const attempt = await under.attempt();
      const callId = randomUUID();
      await Promise.all(
        Array.from({ length: 5 }, () =>
          under.authority.recordCall(attempt, callId, sampleModelCall()),
        ),
      );
      const [live] = await under.authority.liveAttempts([attempt]);
      expect(live?.spent).toMatchObject({ calls: 1, inputTokens: 1_000 });
    });

    test("a call of an attempt that has ended is kept, one of none is forgotten", async () => {
      const attempt = await under.attempt();
      await under.closeAttempt(attempt);
      await under.authority.recordCall(attempt, randomUUID(), sampleModelCall());
      await under.authority.recordCall(
        { ...attempt, runId: randomUUID() },
        randomUUID(),
        sampleModelCall(),
      );
    });
  });
}

import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { JobName } from "../ports/job-runtime.ts";
import type { ModelCallRepository } from "../ports/model-call-repository.ts";
import type { ModelCall } from "../ports/model-gateway.ts";
import { sampleModelCall } from "./sample-model-call.ts";

export interface ModelCallRepositoryUnderTest extends AsyncDisposable {
  readonly modelCalls: ModelCallRepository;
  /** An attempt in a container. */
  readonly attempt: () => Promise<JobName>;
  /** As a gateway does it. */
  readonly record: (attempt: JobName, calls: readonly ModelCall[]) => Promise<void>;
  /** As a gateway does it: the provider has just sent something. */
  readonly hear: (attempt: JobName) => Promise<void>;
}

/** What a worker relies on of its attempts' recorded model calls, as Vitest tests. */
export function describeModelCallRepository(
  name: string,
  open: () => Promise<ModelCallRepositoryUnderTest>,
): void {
  describe(`ModelCallRepository: ${name}`, () => {
    let under: ModelCallRepositoryUnderTest;
    beforeEach(async () => {
      under = await open();
    });
    afterEach(() => under[Symbol.asyncDispose]());

    test("an attempt that has called nothing, or does not exist, has no calls and was not heard", async () => {
      const attempt = await under.attempt();
      const nothing = { calls: [], lastId: 0, heardAt: null };
      expect(await under.modelCalls.callsOf(attempt)).toEqual(nothing);
      expect(await under.modelCalls.callsOf({ ...attempt, attempt: 7 })).toEqual(nothing);
      expect(await under.modelCalls.callsOf({ ...attempt, runId: "no id" })).toEqual(nothing);
    });

    test("calls come back whole, in the order in which they were recorded", async () => {
      const attempt = await under.attempt();
      const calls = [
        sampleModelCall(),
        sampleModelCall({ outcome: "hung", status: null, usage: null, costUsd: null }),
        sampleModelCall({ outcome: "refused", errorCode: "credential_cooling", resetsInMs: 5_000 }),
        sampleModelCall({ model: null, headersMs: null, costUsd: null }),
      ];
      await under.record(attempt, calls);
      expect((await under.modelCalls.callsOf(attempt)).calls).toEqual(calls);
    });

    test("asked again with the last id, only what is new is told", async () => {
      const attempt = await under.attempt();
      await under.record(attempt, [sampleModelCall(), sampleModelCall({ durationMs: 2 })]);
      const first = await under.modelCalls.callsOf(attempt);
      expect(await under.modelCalls.callsOf(attempt, first.lastId)).toEqual({
        ...first,
        calls: [],
      });
      await under.record(attempt, [sampleModelCall({ durationMs: 3 })]);
      const next = await under.modelCalls.callsOf(attempt, first.lastId);
      expect(next.calls).toMatchObject([{ durationMs: 3 }]);
      expect(next.lastId).toBeGreaterThan(first.lastId);
    });

    test("an attempt has its own calls alone", async () => {
      const [one, other] = [await under.attempt(), await under.attempt()];
      await under.record(one, [sampleModelCall()]);
      expect((await under.modelCalls.callsOf(one)).calls).toHaveLength(1);
      expect((await under.modelCalls.callsOf(other)).calls).toEqual([]);
    });

    test("more than 1,000 calls are told in several answers, none left out", async () => {
      const attempt = await under.attempt();
      const all = Array.from({ length: 1_005 }, (_, ix) => sampleModelCall({ durationMs: ix }));
      await under.record(attempt, all);
      const first = await under.modelCalls.callsOf(attempt);
      const rest = await under.modelCalls.callsOf(attempt, first.lastId);
      expect([first.calls.length, rest.calls.length]).toEqual([1_000, 5]);
      expect([...first.calls, ...rest.calls]).toEqual(all);
    });

    test("a provider that is heard again is told with another time", async () => {
      const attempt = await under.attempt();
      await under.hear(attempt);
      const first = (await under.modelCalls.callsOf(attempt)).heardAt;
      expect(first).toBeInstanceOf(Date);
      await new Promise((resolve) => setTimeout(resolve, 5));
      await under.hear(attempt);
      const second = (await under.modelCalls.callsOf(attempt)).heardAt;
      expect(second?.getTime()).toBeGreaterThan(first?.getTime() ?? Number.NaN);
    });
  });
}

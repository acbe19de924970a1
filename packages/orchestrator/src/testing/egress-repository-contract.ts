import { randomUUID } from "node:crypto";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { EgressEntry, EgressJournal, EgressRepository } from "../ports/egress.ts";
import type { JobName } from "../ports/job-runtime.ts";

export interface EgressRepositoryUnderTest extends AsyncDisposable {
  readonly egress: EgressRepository;
  /** A gateway's side of the same store. */
  readonly journal: EgressJournal;
  /** An open attempt, in a container unless said otherwise. */
  readonly attempt: (more?: { readonly container: boolean }) => Promise<JobName>;
  readonly closeAttempt: (attempt: JobName) => Promise<void>;
}

/** What supervisors and gateways rely on about what attempts have reached, as Vitest tests. */
export function describeEgressRepository(
  name: string,
  open: () => Promise<EgressRepositoryUnderTest>,
): void {
  describe(`EgressRepository: ${name}`, () => {
    let under: EgressRepositoryUnderTest;
    beforeEach(async () => {
      under = await open();
    });
    afterEach(() => under[Symbol.asyncDispose]());

    test("what each source has told last is added up, told twice or not", async () => {
      const attempt = await under.attempt();
      const [one, other] = [randomUUID(), randomUUID()];
      const denied = entry({ host: "127.0.0.1", port: 0, outcome: "malformed_target", open: 0 });
      await under.journal.recordEgress(attempt, one, [entry()]);
      const later = [entry({ bytesUp: 50, open: 0 }), denied];
      await under.journal.recordEgress(attempt, one, later);
      await under.journal.recordEgress(attempt, one, later);
      await under.journal.recordEgress(attempt, other, [entry({ requests: 2 })]);
      expect(await under.egress.egressOf(attempt)).toEqual([
        denied,
        entry({ requests: 3, bytesUp: 60, bytesDown: 40, open: 1 }),
      ]);
    });

    test("sums never get less, whatever comes late", async () => {
      const attempt = await under.attempt();
      const source = randomUUID();
      await under.journal.recordEgress(attempt, source, [entry({ requests: 5 })]);
      await under.journal.recordEgress(attempt, source, [entry({ requests: 4, bytesUp: 1 })]);
      expect(await under.egress.egressOf(attempt)).toEqual([entry({ requests: 5 })]);
    });

    test("an attempt that has ended is told of, one that has no gateway or is none is not", async () => {
      const attempt = await under.attempt();
      const withWorker = await under.attempt({ container: false });
      await under.closeAttempt(attempt);
      for (const name of [attempt, withWorker, { ...attempt, attempt: 7 }]) {
        await under.journal.recordEgress(name, randomUUID(), [entry()]);
      }
      expect(await under.egress.egressOf(attempt)).toHaveLength(1);
      expect(await under.egress.egressOf(withWorker)).toEqual([]);
      expect(await under.egress.egressOf({ ...attempt, runId: "no id" })).toEqual([]);
    });

    test("an attempt has some thousand entries at most, whatever a gateway says; those there are still grow", async () => {
      const attempt = await under.attempt();
      const source = randomUUID();
      const many = (from: number) =>
        Array.from({ length: 600 }, (_value, at) => entry({ host: `n${from + at}.example.org` }));
      for (let round = 0; round < 5; round += 1) {
        await under.journal.recordEgress(attempt, source, many(round * 600));
      }
      const [first, ...others] = await under.egress.egressOf(attempt);
      expect(others.length).toBeLessThan(1_024);
      const grown = entry({ ...first, requests: 9 });
      await under.journal.recordEgress(attempt, source, [grown]);
      expect((await under.egress.egressOf(attempt))[0]).toEqual(grown);
    });
  });
}

function entry(more: Partial<EgressEntry> = {}): EgressEntry {
  return {
    host: "one.example.org",
    port: 443,
    outcome: "passed",
    requests: 1,
    bytesUp: 10,
    bytesDown: 20,
    open: 1,
    ...more,
  };
}

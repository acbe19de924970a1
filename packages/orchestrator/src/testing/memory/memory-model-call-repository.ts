import type { JobName } from "../../ports/job-runtime.ts";
import type { ModelCallRepository } from "../../ports/model-call-repository.ts";
import type { MemoryDatabase, RecordedAttempt } from "./run-repository/memory-database.ts";

const MOST_CALLS = 1_000;
const NOTHING: RecordedAttempt = { calls: [], heardAt: null };

/** Recorded model calls in memory: those of all who share the database. */
export function memoryModelCallRepository(database: MemoryDatabase): ModelCallRepository {
  return {
    callsOf: async (attempt, afterId = 0) => {
      const { calls, heardAt } = database.modelCalls.get(keyOf(attempt)) ?? NOTHING;
      // An id is the place in the list, from 1.
      const newer = calls.slice(afterId, afterId + MOST_CALLS);
      return { calls: newer, lastId: afterId + newer.length, heardAt };
    },
  };
}

/** What a gateway does beside an attempt's owner: records calls, and that the provider was heard. */
export function recordModelCalls(
  database: MemoryDatabase,
  attempt: JobName,
  more: Partial<RecordedAttempt>,
): void {
  const before = database.modelCalls.get(keyOf(attempt)) ?? NOTHING;
  database.modelCalls.set(keyOf(attempt), {
    calls: [...before.calls, ...(more.calls ?? [])],
    heardAt: more.heardAt ?? before.heardAt,
  });
}

function keyOf({ runId, phase, attempt }: JobName): string {
  return `${runId}/${phase}-${attempt}`;
}

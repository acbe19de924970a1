import type { RunRows } from "./rows.ts";

/**
 * What the constraints, indexes and the trigger of `migrations/` refuse, for one run's rows.
 *
 * @throws Error as PostgreSQL would fail the statement; the transaction is rolled back
 */
export function checkRows(before: RunRows | undefined, after: RunRows): void {
  const { run, attempts } = after;
  const outcome = before?.run.outcome ?? null;
  refuse(outcome !== null && run.outcome !== outcome, `run ${run.runId} has ended as ${outcome}`);
  refuse((run.cleanedAt === null) !== (run.wakeAt !== null), "cleaned_at and wake_at");
  refuse(run.cleanedAt !== null && run.outcome === null, "cleaned_at without an outcome");
  refuse((run.outcome === null) !== (run.finishedAt === null), "outcome and finished_at");
  refuse((run.leaseOwner === null) !== (run.leaseUntil === null), "lease_owner and lease_until");
  refuse(run.parkedFor !== null && run.outcome !== null, "parked after its end");
  refuse(run.sentSeq > run.lastSeq, "sent_seq past last_seq");
  const isGivenUp = run.artifactsDeletedAt !== null;
  refuse(isGivenUp && run.cleanedAt === null, "artifacts_deleted_at of a live run");
  refuse(isGivenUp && run.keptAt !== null, "artifacts_deleted_at of a kept run");
  refuse(run.keptAt === null && run.keptReason !== null, "kept_at and kept_reason");
  if (attempts === before?.attempts) {
    return;
  }
  const keys = new Set<string>();
  const succeeded = new Set<string>();
  let running = 0;
  let proposed = 0;
  for (const { phase, attempt, state, startedAt, endedAt } of attempts) {
    const key = `${phase} ${attempt}`;
    refuse(keys.has(key), `${key} is there already`);
    keys.add(key);
    refuse(state === "succeeded" && succeeded.has(phase), `${phase} has succeeded already`);
    if (state === "succeeded") {
      succeeded.add(phase);
    }
    running += state === "running" ? 1 : 0;
    proposed += state === "proposed" ? 1 : 0;
    refuse((state === "running") !== (endedAt === null), `${key}: state and ended_at`);
    refuse((attempt === 0) !== (startedAt === null), `${key}: attempt and started_at`);
  }
  refuse(running > 1, "more than one attempt is running");
  refuse(proposed > 1, "more than one attempt is proposed");
}

function refuse(isBroken: boolean, what: string): void {
  if (isBroken) {
    throw new Error(`constraint violated: ${what}`);
  }
}

import { fencedError } from "../../../domain/speckit-error.ts";
import type { Hold } from "../../../ports/run-repository.ts";
import { requireOpen } from "./attempts.ts";
import type { MemoryDatabase } from "./memory-database.ts";
import { asOwner } from "./ownership.ts";
import { AFTER_CANCEL_MS, isRunId, LOOK_AGAIN_MS } from "./times.ts";

export function finishCleanup(database: MemoryDatabase, hold: Hold, attempt: number): boolean {
  return asOwner(database, hold, (draft) => {
    if (draft.run.outcome === null) {
      throw fencedError(hold.runId, hold.epoch);
    }
    const nowMs = database.now();
    const given = { ...draft.run, leaseOwner: null, leaseUntil: null, handedOver: true };
    if (draft.run.sentSeq !== draft.run.lastSeq) {
      draft.run = { ...given, wakeAt: nowMs + LOOK_AGAIN_MS };
      return false;
    }
    requireOpen(draft.attempts, hold, { phase: "cleanup", attempt });
    draft.run = { ...given, cleanedAt: nowMs, wakeAt: null };
    draft.attempts = draft.attempts.map((row) =>
      row.phase === "cleanup" && row.attempt === attempt
        ? { ...row, state: "succeeded", endedAt: nowMs }
        : row,
    );
    return true;
  });
}

export function requestCancel(database: MemoryDatabase, runId: string, commandId: string): boolean {
  const run = isRunId(runId) ? database.rowsOf(runId)?.run : undefined;
  if (run === undefined || run.outcome !== null) {
    return false;
  }
  database.change(runId, (draft) => {
    const nowMs = database.now();
    draft.run = {
      ...run,
      cancelRequestedAt: run.cancelRequestedAt ?? nowMs,
      wakeAt: Math.min(run.wakeAt ?? nowMs, nowMs + AFTER_CANCEL_MS),
    };
    if (!database.commands.has(commandId)) {
      draft.newEvents.push({ type: "run.cancel_requested", data: { commandId } });
    }
  });
  database.commands.set(commandId, run.runId);
  return true;
}

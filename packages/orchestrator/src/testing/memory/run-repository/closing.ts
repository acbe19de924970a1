import { fencedError } from "../../../domain/speckit-error.ts";
import type { Hold } from "../../../ports/run-repository.ts";
import { requireOpen } from "./attempts.ts";
import type { MemoryDatabase } from "./memory-database.ts";
import { asOwner } from "./ownership.ts";
import { LOOK_AGAIN_MS } from "./times.ts";

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

import { judgeDelivery } from "../../../domain/delivery.ts";
import { fencedError } from "../../../domain/speckit-error.ts";
import type { NewEvent } from "../../../ports/attempt-commit.ts";
import {
  type ClaimResult,
  ENGINE_LOST_AFTER_MS,
  type Hold,
  type RunRepository,
} from "../../../ports/run-repository.ts";
import type { Draft, MemoryDatabase } from "./memory-database.ts";
import { attemptRecord, inOrder, type RunRow, runRecord } from "./rows.ts";
import { AFTER_LEASE_MS, LOOK_AGAIN_MS } from "./times.ts";

type Claim = Parameters<RunRepository["claimRun"]>[0];

/** Judges a delivery and, if it may, raises the epoch and takes the lease. Asks once for the owner's session. */
export function claimRun(database: MemoryDatabase, claim: Claim): ClaimResult {
  const before = database.rowsOf(claim.runId)?.run;
  if (before === undefined) {
    return { claimed: false, because: "no such run" };
  }
  const nowMs = database.now();
  const lease = isOwnedByOther(before, claim, nowMs) ? "other" : "free";
  const suspicion =
    claim.suspectEpoch === before.epoch
      ? "epoch"
      : claim.isRedelivered === true
        ? "redelivered"
        : "none";
  const open = database.rowsOf(claim.runId)?.attempts.find((row) => row.state === "running");
  const engineId = open?.place?.engineId;
  const decision = judgeDelivery({
    lease,
    suspicion,
    ownerIsGone:
      lease === "other" && suspicion !== "none" && database.isSessionGone(before.leaseOwner ?? 0),
    cleaned: before.cleanedAt !== null,
    ended: before.outcome !== null,
    cancelRequested: before.cancelRequestedAt !== null,
    due: before.dueAt <= nowMs,
    job: placeOfJob(database, engineId, claim, nowMs),
  });
  if (decision.do === "send_to_engine") {
    return { claimed: false, because: "its engine is another", engineId: engineId ?? "" };
  }
  if (decision.do === "ignore") {
    return { claimed: false, because: decision.because };
  }
  if (decision.do === "ask_again") {
    return { claimed: false, because: "its owner may be dead", epoch: before.epoch };
  }
  database.change(claim.runId, (draft) => {
    draft.run = {
      ...before,
      epoch: before.epoch + 1,
      leaseOwner: claim.workerId,
      leaseUntil: nowMs + claim.leaseMs,
      wakeAt: nowMs + claim.leaseMs + AFTER_LEASE_MS,
      sweeps: 0,
      parkedFor: before.parkedFor === "input" ? "input" : null,
      handedOver: false,
      idleClaims: before.idleClaims + (before.handedOver ? 0 : 1),
      startedAt: before.startedAt ?? nowMs,
    };
    if (before.leaseOwner !== null && before.leaseOwner !== claim.workerId) {
      // Whoever had it has neither ended its attempt nor given it back.
      draft.attempts = draft.attempts.map((row) =>
        row.state === "running" ? { ...row, takeovers: row.takeovers + 1 } : row,
      );
    }
    draft.newEvents.push({
      type: before.epoch === 0 ? "run.started" : "run.claimed",
      data: {
        epoch: before.epoch + 1,
        workerId: claim.workerId,
        ...(lease === "other" ? { tookOverFrom: before.leaseOwner } : {}),
      },
    });
  });
  const after = database.rowsOf(claim.runId);
  const leftAt = before.leaseUntil === null ? null : new Date(before.leaseUntil);
  return {
    claimed: true,
    run: runRecord(after?.run ?? before, nowMs),
    attempts: inOrder(after?.attempts ?? []).map((row) => attemptRecord(row, nowMs)),
    leftAt,
  };
}

function placeOfJob(
  { workers }: MemoryDatabase,
  engineId: string | undefined,
  claim: Claim,
  nowMs: number,
): "none" | "here" | "elsewhere" | "lost" {
  if (engineId === undefined) {
    return "none";
  }
  if (engineId === claim.engineId) {
    return "here";
  }
  const isHeard = [...workers.values()].some(
    ({ engine }) => engine?.engineId === engineId && engine.seenAt > nowMs - ENGINE_LOST_AFTER_MS,
  );
  return isHeard ? "elsewhere" : "lost";
}

function isOwnedByOther(run: RunRow, { leaseMs, workerId }: Claim, nowMs: number): boolean {
  return (
    run.leaseUntil !== null &&
    run.leaseUntil > nowMs &&
    // Further ahead than two lengths: a clock was set back.
    run.leaseUntil <= nowMs + 2 * leaseMs &&
    run.leaseOwner !== workerId
  );
}

export function renewLeases(
  database: MemoryDatabase,
  holds: readonly Hold[],
  leaseMs: number,
): readonly { readonly runId: string; readonly cancelRequested: boolean }[] {
  return holds.flatMap(({ runId, epoch }) => {
    const run = database.rowsOf(runId)?.run;
    if (run?.epoch !== epoch || run.leaseOwner === null || run.cleanedAt !== null) {
      return [];
    }
    database.change(runId, (draft) => {
      const nowMs = database.now();
      draft.run = {
        ...draft.run,
        leaseUntil: nowMs + leaseMs,
        wakeAt: nowMs + leaseMs + AFTER_LEASE_MS,
      };
    });
    return [{ runId: run.runId, cancelRequested: run.cancelRequestedAt !== null }];
  });
}

export function releaseRun(
  database: MemoryDatabase,
  hold: Hold,
  events: readonly NewEvent[],
): void {
  asOwner(database, hold, (draft) => {
    draft.run = {
      ...draft.run,
      leaseOwner: null,
      leaseUntil: null,
      handedOver: true,
      wakeAt: database.now() + LOOK_AGAIN_MS,
    };
    draft.newEvents.push(...events);
  });
}

/**
 * A transaction of the run's owner: begins with the guard on the epoch.
 *
 * @throws SpeckitError `RUN_FENCED`
 */
export function asOwner<T>(database: MemoryDatabase, hold: Hold, work: (draft: Draft) => T): T {
  const run = database.rowsOf(hold.runId)?.run;
  if (run?.epoch !== hold.epoch || run.cleanedAt !== null) {
    throw fencedError(hold.runId, hold.epoch);
  }
  return database.change(hold.runId, work);
}

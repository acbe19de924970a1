import type { Phase } from "../../../domain/phase.ts";
import { fencedError } from "../../../domain/speckit-error.ts";
import type { StoredArtifact } from "../../../ports/artifact-store.ts";
import type { JobName } from "../../../ports/job-runtime.ts";
import type { Hold, RunRepository } from "../../../ports/run-repository.ts";
import type { MemoryDatabase } from "./memory-database.ts";
import { asOwner } from "./ownership.ts";

export function startAttempt(database: MemoryDatabase, hold: Hold, phase: Phase): number {
  return asOwner(database, hold, (draft) => {
    const ended = draft.run.outcome !== null;
    if (ended !== (phase === "cleanup")) {
      throw new Error(
        `Run ${hold.runId} ${ended ? "has" : "has not"} ended: ${phase} cannot start`,
      );
    }
    const earlier = draft.attempts.filter((row) => row.phase === phase);
    const attempt = Math.max(0, ...earlier.map((row) => row.attempt)) + 1;
    draft.attempts = [
      ...draft.attempts,
      {
        phase,
        attempt,
        state: "running",
        epoch: hold.epoch,
        ticketUsedAt: null,
        takeovers: 0,
        place: null,
        failure: null,
        findings: [],
        openQuestions: [],
        usage: null,
        proposal: null,
        changed: false,
        startedAt: database.now(),
        endedAt: null,
      },
    ];
    draft.newEvents.push({ type: "phase.started", phase, attempt });
    return attempt;
  });
}

export function placeAttempt(
  database: MemoryDatabase,
  hold: Hold,
  { phase, attempt, place, events, artifacts }: Parameters<RunRepository["placeAttempt"]>[1],
): void {
  asOwner(database, hold, (draft) => {
    requireOpen(draft.attempts, hold, { phase, attempt });
    draft.attempts = draft.attempts.map((row) =>
      row.phase === phase && row.attempt === attempt ? { ...row, place } : row,
    );
    draft.artifacts = withArtifacts(draft.artifacts, artifacts);
    draft.newEvents.push(...events);
  });
}

export function openAttempts(
  database: MemoryDatabase,
  names: readonly JobName[],
): readonly JobName[] {
  return names.filter(({ runId, phase, attempt }) => {
    const rows = database.rowsOf(runId);
    return (
      rows?.run.outcome === null &&
      rows.attempts.some(
        (row) => row.phase === phase && row.attempt === attempt && row.state === "running",
      )
    );
  });
}

export function useStartTicket(
  database: MemoryDatabase,
  hold: Hold,
  phase: Phase,
  attempt: number,
): boolean {
  const rows = database.rowsOf(hold.runId);
  const ticket = rows?.attempts.find((row) => row.phase === phase && row.attempt === attempt);
  if (
    rows?.run.epoch !== hold.epoch ||
    rows.run.outcome !== null ||
    rows.run.cancelRequestedAt !== null ||
    ticket?.state !== "running" ||
    ticket.ticketUsedAt !== null
  ) {
    return false;
  }
  database.change(hold.runId, (draft) => {
    draft.attempts = draft.attempts.map((row) =>
      row === ticket ? { ...row, ticketUsedAt: database.now() } : row,
    );
  });
  return true;
}

export function allotFeatureDirectory(
  database: MemoryDatabase,
  hold: Hold,
  allot: Parameters<RunRepository["allotFeatureDirectory"]>[1],
): string {
  return asOwner(database, hold, (draft) => {
    if (draft.run.featureDirectory !== null) {
      return draft.run.featureDirectory;
    }
    let highest = allot.highestInTree;
    for (const { run } of database.all()) {
      if (run.gitRemote === draft.run.gitRemote) {
        highest = Math.max(highest, run.featureNumber ?? 0);
      }
    }
    const featureDirectory = allot.name ?? allot.nameFor(highest + 1);
    const featureNumber = allot.name === undefined ? highest + 1 : null;
    draft.run = { ...draft.run, featureDirectory, featureNumber };
    return featureDirectory;
  });
}

/** @throws SpeckitError `RUN_FENCED` when the attempt is not open */
export function requireOpen(
  attempts: readonly { readonly phase: Phase; readonly attempt: number; readonly state: string }[],
  hold: Hold,
  end: { readonly phase: Phase; readonly attempt: number },
): void {
  const isOpen = attempts.some(
    ({ phase, attempt, state }) =>
      phase === end.phase && attempt === end.attempt && state === "running",
  );
  if (!isOpen) {
    throw fencedError(hold.runId, hold.epoch);
  }
}

/** One of the same name replaces the one before. */
export function withArtifacts(
  before: ReadonlyMap<string, StoredArtifact>,
  more: readonly StoredArtifact[],
): ReadonlyMap<string, StoredArtifact> {
  if (more.length === 0) {
    return before;
  }
  const all = new Map(before);
  for (const artifact of more) {
    all.delete(artifact.name);
    all.set(artifact.name, artifact);
  }
  return all;
}

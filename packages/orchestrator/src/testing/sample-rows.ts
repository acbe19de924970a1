import { randomUUID } from "node:crypto";
import type { AttemptRow, RunRow, RunRows } from "./memory/run-repository/rows.ts";

/** Rows of a run that was stored at a time, in milliseconds, and is due: nobody has claimed it. */
export function sampleRun(
  createdAt: number,
  more: Partial<RunRow> = {},
  attempts: readonly AttemptRow[] = [],
): RunRows {
  const runId = more.runId ?? randomUUID();
  return {
    run: {
      runId,
      request: { schemaVersion: 1, repository: "owner/name", specifyText: "Add a page" },
      requestHash: runId,
      repository: "owner/name",
      gitRemote: "https://example.org/owner/name",
      branch: `speckit/${runId}`,
      agent: "scripted",
      pipeline: ["prepare", "specify", "plan", "tasks", "publish", "pull_request"],
      featureDirectory: null,
      featureNumber: null,
      baseBranch: null,
      baseSha: null,
      branchOldSha: null,
      tipSha: null,
      pushed: false,
      diff: null,
      pullRequest: null,
      specKit: null,
      summary: null,
      outcome: null,
      failure: null,
      phaseIx: 0,
      parkedFor: null,
      credential: null,
      cooledMs: 0,
      questionRound: 0,
      retryOf: null,
      firstPhaseIx: 0,
      changedBefore: false,
      cancelRequestedAt: null,
      epoch: 0,
      leaseOwner: null,
      leaseUntil: null,
      handedOver: false,
      idleClaims: 0,
      dueAt: createdAt,
      wakeAt: createdAt,
      sweeps: 0,
      lastSeq: 0,
      sentSeq: 0,
      replyTo: null,
      correlationId: null,
      createdAt,
      startedAt: null,
      finishedAt: null,
      cleanedAt: null,
      artifactsExpireAt: null,
      artifactsDeletedAt: null,
      keptAt: null,
      keptReason: null,
      ...more,
    },
    attempts,
    events: [],
    artifacts: new Map(),
    checkpoint: undefined,
    proposed: undefined,
    answers: [],
  };
}

/** Of a run that has ended and is cleaned up. */
export function sampleEnd(
  outcome: NonNullable<RunRow["outcome"]>,
  finishedAt: number,
): Partial<RunRow> {
  return { outcome, finishedAt, cleanedAt: finishedAt, wakeAt: null, epoch: 1 };
}

/** An attempt that took so long and succeeded. */
export function sampleAttempt(
  phase: AttemptRow["phase"],
  startedAt: number,
  tookMs: number,
  more: Partial<AttemptRow> = {},
): AttemptRow {
  return {
    phase,
    attempt: 1,
    state: "succeeded",
    epoch: 1,
    ticketUsedAt: null,
    takeovers: 0,
    place: null,
    failure: null,
    findings: [],
    openQuestions: [],
    usage: null,
    proposal: null,
    changed: false,
    startedAt,
    endedAt: startedAt + tookMs,
    ...more,
  };
}

import { randomUUID } from "node:crypto";
import { newRunRow } from "./memory/run-repository/new-run-row.ts";
import type { AttemptRow, RunRow, RunRows } from "./memory/run-repository/rows.ts";

/** Rows of a run that was stored at a time, in milliseconds, and is due: nobody has claimed it. */
export function sampleRun(
  createdAt: number,
  more: Partial<RunRow> = {},
  attempts: readonly AttemptRow[] = [],
): RunRows {
  const runId = more.runId ?? randomUUID();
  const stored = newRunRow(createdAt, {
    runId,
    request: { schemaVersion: 1, repository: "owner/name", specifyText: "Add a page" },
    requestHash: runId,
    repository: "owner/name",
    gitRemote: "https://example.org/owner/name",
    branch: `speckit/${runId}`,
    agent: "scripted",
    pipeline: ["prepare", "specify", "plan", "tasks", "publish", "pull_request"],
    replyTo: undefined,
    correlationId: undefined,
  });
  return {
    run: { ...stored, wakeAt: createdAt, ...more },
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

import type { RunRequest } from "../../../contract/run-request.ts";
import type { Usage } from "../../../contract/run-result.ts";
import type { Failure, Finding } from "../../../domain/failure.ts";
import type { Phase, PipelinePhase } from "../../../domain/phase.ts";
import type { PullRequestRecord } from "../../../domain/pull-request/pull-request-record.ts";
import type { Question } from "../../../domain/questions.ts";
import type { AttemptState, Outcome, RunStatus } from "../../../domain/run-state.ts";
import type { SpecKitProject } from "../../../domain/spec-kit/project.ts";
import type { FeatureSummary } from "../../../domain/spec-kit/summary.ts";
import type { StoredArtifact } from "../../../ports/artifact-store.ts";
import type { DiffStat } from "../../../ports/git-workspace.ts";
import type { JobPlace } from "../../../ports/job-runtime.ts";
import type {
  AnsweredRound,
  AttemptRecord,
  EventRecord,
  Proposal,
  RunRecord,
} from "../../../ports/run-record.ts";

/** A row of `spec_workflow_runs`. Times are milliseconds of the database's clock. */
export interface RunRow {
  readonly runId: string;
  readonly request: RunRequest;
  readonly requestHash: string;
  readonly repository: string;
  readonly gitRemote: string;
  readonly branch: string;
  readonly agent: string;
  readonly pipeline: readonly PipelinePhase[];
  readonly featureDirectory: string | null;
  readonly featureNumber: number | null;
  readonly baseBranch: string | null;
  readonly baseSha: string | null;
  readonly branchOldSha: string | null;
  readonly tipSha: string | null;
  readonly pushed: boolean;
  readonly diff: DiffStat | null;
  readonly pullRequest: PullRequestRecord | null;
  readonly specKit: SpecKitProject | null;
  readonly summary: FeatureSummary | null;
  readonly outcome: Outcome | null;
  readonly failure: Failure | null;
  readonly phaseIx: number;
  readonly parkedFor: RunRecord["parkedFor"];
  readonly credential: string | null;
  readonly cooledMs: number;
  readonly questionRound: number;
  readonly retryOf: string | null;
  readonly firstPhaseIx: number;
  readonly changedBefore: boolean;
  readonly cancelRequestedAt: number | null;
  readonly epoch: number;
  readonly leaseOwner: number | null;
  readonly leaseUntil: number | null;
  readonly handedOver: boolean;
  readonly idleClaims: number;
  readonly dueAt: number;
  readonly wakeAt: number | null;
  readonly sweeps: number;
  readonly lastSeq: number;
  readonly sentSeq: number;
  readonly replyTo: string | null;
  readonly correlationId: string | null;
  readonly createdAt: number;
  readonly startedAt: number | null;
  readonly finishedAt: number | null;
  readonly cleanedAt: number | null;
  readonly artifactsExpireAt: number | null;
  readonly artifactsDeletedAt: number | null;
  readonly keptAt: number | null;
  readonly keptReason: string | null;
}

/** A row of `spec_workflow_task_states`. */
export interface AttemptRow {
  readonly phase: Phase;
  readonly attempt: number;
  readonly state: AttemptState;
  readonly epoch: number;
  readonly ticketUsedAt: number | null;
  readonly takeovers: number;
  readonly place: JobPlace | null;
  readonly failure: Failure | null;
  readonly findings: readonly Finding[];
  readonly openQuestions: readonly Question[];
  readonly usage: Usage | null;
  readonly proposal: Proposal | null;
  readonly changed: boolean;
  readonly startedAt: number | null;
  readonly endedAt: number | null;
}

/** All that is stored of one run. Replaced as a whole by each transaction that changes it. */
export interface RunRows {
  readonly run: RunRow;
  readonly attempts: readonly AttemptRow[];
  readonly events: readonly EventRecord[];
  readonly artifacts: ReadonlyMap<string, StoredArtifact>;
  readonly checkpoint: Uint8Array | undefined;
  /** The bundle of the result that waits for approval. */
  readonly proposed: Uint8Array | undefined;
  readonly answers: readonly AnsweredRound[];
}

export function runRecord(row: RunRow, nowMs: number): RunRecord {
  const { requestHash: _hash, featureNumber: _number, ...rest } = row;
  const { handedOver: _handed, sweeps: _sweeps, ...facts } = rest;
  const { cancelRequestedAt, ...kept } = facts;
  return {
    ...kept,
    status: statusOf(row),
    leaseUntil: date(row.leaseUntil),
    hasLiveLease: row.leaseUntil !== null && row.leaseUntil > nowMs,
    dueAt: new Date(row.dueAt),
    isDue: row.dueAt <= nowMs,
    wakeAt: date(row.wakeAt),
    cancelRequested: cancelRequestedAt !== null,
    createdAt: new Date(row.createdAt),
    startedAt: date(row.startedAt),
    finishedAt: date(row.finishedAt),
    cleanedAt: date(row.cleanedAt),
    artifactsExpireAt: date(row.artifactsExpireAt),
    artifactsDeletedAt: date(row.artifactsDeletedAt),
    keptAt: date(row.keptAt),
  };
}

function statusOf(row: RunRow): RunStatus {
  if (row.outcome !== null) {
    return row.outcome;
  }
  if (row.parkedFor === "input") {
    return "needs_input";
  }
  return row.epoch === 0 ? "queued" : "in_progress";
}

export function attemptRecord(row: AttemptRow, nowMs: number): AttemptRecord {
  const { epoch: _epoch, ticketUsedAt: _used, startedAt, endedAt, ...kept } = row;
  return {
    ...kept,
    startedAt: date(startedAt),
    endedAt: date(endedAt),
    durationMs: startedAt === null ? null : Math.round((endedAt ?? nowMs) - startedAt),
  };
}

/** In the order of their beginning; those that never began by when that was said. */
export function inOrder(attempts: readonly AttemptRow[]): readonly AttemptRow[] {
  const at = (row: AttemptRow): number => row.startedAt ?? row.endedAt ?? 0;
  return [...attempts].sort((a, b) => at(a) - at(b) || a.attempt - b.attempt);
}

function date(ms: number | null): Date | null {
  return ms === null ? null : new Date(ms);
}

/**
 * A value as jsonb gives it back: through JSON, with U+FFFD for what PostgreSQL's text cannot hold
 * (NUL and lone surrogates), in names too.
 */
export function stored<T>(value: T): T {
  const text = JSON.stringify(value);
  if (!/\\u(?:0000|d[89a-f])/.test(text)) {
    return JSON.parse(text) as T;
  }
  const clean = (part: string): string => part.replaceAll("\u0000", "\uFFFD").toWellFormed();
  return JSON.parse(text, (_key, item: unknown) => {
    if (typeof item === "string") {
      return clean(item);
    }
    return typeof item === "object" && item !== null && !Array.isArray(item)
      ? Object.fromEntries(Object.entries(item).map(([name, part]) => [clean(name), part]))
      : item;
  }) as T;
}

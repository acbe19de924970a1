import type { RunEventType } from "../contract/run-event.ts";
import type { RunRequest } from "../contract/run-request.ts";
import type { Usage } from "../contract/run-result.ts";
import type { Failure, Finding } from "../domain/failure.ts";
import type { Phase, PipelinePhase } from "../domain/phase.ts";
import type { PullRequestRecord } from "../domain/pull-request/pull-request-record.ts";
import type { Question } from "../domain/questions.ts";
import type { Approval, AttemptState, Outcome, RunStatus } from "../domain/run-state.ts";
import type { SpecKitProject } from "../domain/spec-kit/project.ts";
import type { FeatureSummary } from "../domain/spec-kit/summary.ts";
import type { DiffStat } from "./git-workspace.ts";
import type { JobPlace } from "./job-runtime.ts";

/** A run's row, as read in one moment. Times are the database's. */
export interface RunRecord {
  readonly runId: string;
  readonly request: RunRequest;
  readonly repository: string;
  readonly gitRemote: string;
  readonly branch: string;
  readonly agent: string;
  readonly pipeline: readonly PipelinePhase[];
  readonly featureDirectory: string | null;
  readonly baseBranch: string | null;
  readonly baseSha: string | null;
  readonly tipSha: string | null;
  readonly branchOldSha: string | null;
  readonly pushed: boolean;
  readonly diff: DiffStat | null;
  /** null: it has come to none, or had nothing to propose. */
  readonly pullRequest: PullRequestRecord | null;
  /** The Spec Kit project it works in, null until that is known. */
  readonly specKit: SpecKitProject | null;
  /** What its documents say so far, null until there is one. */
  readonly summary: FeatureSummary | null;
  readonly status: RunStatus;
  readonly outcome: Outcome | null;
  readonly failure: Failure | null;
  readonly phaseIx: number;
  readonly epoch: number;
  readonly leaseOwner: number | null;
  readonly leaseUntil: Date | null;
  readonly hasLiveLease: boolean;
  readonly dueAt: Date;
  /** `dueAt` has come. */
  readonly isDue: boolean;
  readonly wakeAt: Date | null;
  readonly cancelRequested: boolean;
  /** What it waits for beside its due time. */
  readonly parkedFor: "input" | "credential" | "fence" | null;
  /** The credential it has waited for last. */
  readonly credential: string | null;
  /** How long it has rested for its provider's limits, all told. */
  readonly cooledMs: number;
  /** How often the run has asked; while its status is `needs_input`, the round that is open. */
  readonly questionRound: number;
  /** Claims since the last commit of an attempt, without those after a hand-over. */
  readonly idleClaims: number;
  /** The run it goes on from. */
  readonly retryOf: string | null;
  /** Index of the first phase that is this run's own. */
  readonly firstPhaseIx: number;
  /** The run it goes on from had changed the tree. */
  readonly changedBefore: boolean;
  readonly replyTo: string | null;
  readonly correlationId: string | null;
  readonly lastSeq: number;
  readonly sentSeq: number;
  readonly createdAt: Date;
  readonly startedAt: Date | null;
  readonly finishedAt: Date | null;
  readonly cleanedAt: Date | null;
  readonly artifactsExpireAt: Date | null;
  /** Its artifacts were given up: their rows tell what there was. */
  readonly artifactsDeletedAt: Date | null;
  /** Since then somebody keeps it: neither its artifacts nor its rows are deleted. */
  readonly keptAt: Date | null;
  readonly keptReason: string | null;
}

/** A phase's result that people are asked about, and what they said. */
export interface Proposal {
  /** What becomes the run's when it is approved, the commit that becomes its tip among it. */
  readonly facts: RunFacts & { readonly tipSha: string };
  /** For the event of the phase's success. */
  readonly told: Readonly<Record<string, unknown>>;
  readonly decision: Exclude<Approval, "expired"> | null;
  /** What is to be done otherwise, of a rejected one. */
  readonly comment: string | null;
}

/** A task-state row: one start of a phase, or with attempt 0 a phase that never started. */
export interface AttemptRecord {
  readonly phase: Phase;
  readonly attempt: number;
  readonly state: AttemptState;
  readonly failure: Failure | null;
  readonly findings: readonly Finding[];
  readonly openQuestions: readonly Question[];
  /** How often an owner has died while the attempt was open. */
  readonly takeovers: number;
  /** Its container, null: it ends with its worker. */
  readonly place: JobPlace | null;
  /** null: its result was never proposed. */
  readonly proposal: Proposal | null;
  readonly usage: Usage | null;
  /** The phase's commit differs from the one before. */
  readonly changed: boolean;
  readonly startedAt: Date | null;
  readonly endedAt: Date | null;
  /** By the database's clock; of a running attempt, up to now. */
  readonly durationMs: number | null;
}

/** What people answered to one round of questions; null: the agent decides. */
export interface AnsweredRound {
  readonly round: number;
  readonly answers: readonly (string | null)[];
}

export interface EventRecord {
  readonly runId: string;
  /** 1, 2, 3 … without a gap, per run. */
  readonly seq: number;
  readonly type: RunEventType;
  readonly phase: Phase | null;
  readonly attempt: number | null;
  readonly data: Readonly<Record<string, unknown>>;
  readonly createdAt: Date;
}

/** Facts a phase has found out, stored with its success. */
export interface RunFacts {
  readonly baseBranch?: string;
  readonly baseSha?: string;
  readonly branchOldSha?: string | null;
  readonly tipSha?: string;
  readonly diff?: DiffStat;
  readonly pushed?: boolean;
  readonly pullRequest?: PullRequestRecord;
  readonly specKit?: SpecKitProject;
  readonly summary?: FeatureSummary;
}

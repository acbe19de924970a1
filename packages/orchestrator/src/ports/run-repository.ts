import type { RunCommand } from "../contract/run-command.ts";
import type { RunEventType } from "../contract/run-event.ts";
import type { RunRequest } from "../contract/run-request.ts";
import type { Usage } from "../contract/run-result.ts";
import type { IgnoreReason } from "../domain/delivery.ts";
import type { Failure, Finding } from "../domain/failure.ts";
import type { AgentPhase, Phase, PipelinePhase } from "../domain/phase.ts";
import type { PullRequestRecord } from "../domain/pull-request/pull-request-record.ts";
import type { Question } from "../domain/questions.ts";
import type { Approval, AttemptState, Outcome, RunStatus } from "../domain/run-state.ts";
import type { SpecKitProject } from "../domain/spec-kit/project.ts";
import type { FeatureSummary } from "../domain/spec-kit/summary.ts";
import type { StoredArtifact } from "./artifact-store.ts";
import type { DiffStat } from "./git-workspace.ts";
import type { JobName, JobPlace } from "./job-runtime.ts";

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

export interface NewRun {
  readonly runId: string;
  readonly request: RunRequest;
  /** Hash of the request as received, before defaults. */
  readonly requestHash: string;
  readonly repository: string;
  readonly gitRemote: string;
  readonly branch: string;
  readonly agent: string;
  readonly pipeline: readonly PipelinePhase[];
  readonly replyTo: string | undefined;
  readonly correlationId: string | undefined;
  /**
   * A run that has ended: the new one goes on with its feature directory, base and checkpoint, and
   * with `retry` with its progress; with `publish` it begins at its own pipeline's start. Stored with
   * that command, whose id is the new run's.
   */
  readonly goesOn?: { readonly by: "retry" | "publish"; readonly from: string };
}

export type InsertRunResult =
  | { readonly inserted: true; readonly run: RunRecord }
  | {
      readonly inserted: false;
      readonly because: "same_request" | "other_request";
      readonly run: RunRecord;
    }
  | { readonly inserted: false; readonly because: "branch_busy"; readonly runId: string };

/** A command that only changes its run's row; the others make a new run. */
export type RowCommand = Exclude<RunCommand, { readonly command: "retry" | "publish" }>;

export type CommandVerdict =
  /** `isNew` is false for a command that was taken before. */
  | { readonly taken: true; readonly isNew: boolean }
  | { readonly taken: false; readonly because: CommandRefusal };

export type CommandRefusal =
  | "no such run"
  | "the run has ended"
  | "another command has this id"
  | "nothing is asked"
  | "another round is asked"
  | "more answers than questions"
  | "nothing waits for approval"
  | "another result waits for approval";

/** What people answered to one round of questions; null: the agent decides. */
export interface AnsweredRound {
  readonly round: number;
  readonly answers: readonly (string | null)[];
}

/** How long nobody must have told of an engine until it is lost. */
export const ENGINE_LOST_AFTER_MS = 90_000;

/** The right to write to a run: holds until another claim raises the epoch. */
export interface Hold {
  readonly runId: string;
  readonly epoch: number;
}

export type ClaimResult =
  | {
      readonly claimed: true;
      readonly run: RunRecord;
      readonly attempts: readonly AttemptRecord[];
      /** When the lease of the owner before ended, null if it was given back. */
      readonly leftAt: Date | null;
    }
  | { readonly claimed: false; readonly because: IgnoreReason }
  /** Its container is on an engine that other workers serve. */
  | {
      readonly claimed: false;
      readonly because: "its engine is another";
      readonly engineId: string;
    }
  /** Its owner may be dead, but its database session still looks alive: ask again with this epoch. */
  | { readonly claimed: false; readonly because: "its owner may be dead"; readonly epoch: number };

export interface NewEvent {
  readonly type: RunEventType;
  readonly phase?: Phase;
  readonly attempt?: number;
  readonly data?: Readonly<Record<string, unknown>>;
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

/** How the open attempt ended. */
export interface AttemptEnd {
  readonly phase: Phase;
  readonly attempt: number;
  readonly state: "proposed" | "succeeded" | "failed" | "interrupted" | "cancelled";
  /** With `proposed`: what waits for approval. */
  readonly proposal?: Pick<Proposal, "facts" | "told">;
  readonly failure?: Failure;
  readonly findings?: readonly Finding[];
  readonly openQuestions?: readonly Question[];
  readonly usage?: Usage;
  readonly changed?: boolean;
  /**
   * Default: now. For an attempt whose owner died: when that one's lease ended. The time until
   * somebody claimed the run again is nobody's working time. Never before the attempt's start.
   */
  readonly endedAt?: Date;
}

/** How a proposed attempt ends: by what was decided about it, or with its run. */
export interface Conclusion {
  readonly phase: Phase;
  readonly attempt: number;
  /** With `succeeded` the proposed commit and its bundle become the run's tip and checkpoint. */
  readonly state: "succeeded" | "failed" | "cancelled";
  readonly failure?: Failure;
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

/** A phase that never started, told when the run ends. */
export interface NeverStarted {
  readonly phase: AgentPhase | PipelinePhase;
  readonly state: "skipped" | "cancelled";
}

/**
 * One commit that ends an attempt, or ends the run, or both. What is stored is stored together or
 * not at all.
 */
export interface AttemptCommit {
  readonly end?: AttemptEnd;
  /** Ends a proposed attempt instead of an open one. */
  readonly conclusion?: Conclusion;
  /** Index of the next phase; only grows. */
  readonly phaseIx?: number;
  readonly facts?: RunFacts;
  /** The bundle from the base to `facts.tipSha`, or to that of `end.proposal`. */
  readonly checkpoint?: Uint8Array;
  readonly artifacts?: readonly StoredArtifact[];
  readonly events: readonly NewEvent[];
  /**
   * Lets the run rest: the lease is given back, the sweeper looks at `wakeInMs`. With `forInput` people
   * are asked until the run is due: then it may be claimed without their word. Questions are a new
   * round. With `coolDown` it waits for a credential (null: one without a name), and the time is added
   * to what it has waited so before.
   */
  readonly wait?: {
    readonly dueInMs: number;
    readonly wakeInMs: number;
    readonly forInput?: "questions" | "approval";
    readonly coolDown?: { readonly credential: string | null };
    /** The engine with its container is lost: it waits until that one can no longer do anything. */
    readonly forFence?: true;
  };
  /**
   * Ends the run. A cancel requested before this commit wins: then the outcome is `cancelled`, and
   * `closing` is asked with that.
   */
  readonly outcome?: {
    readonly outcome: Outcome;
    readonly failure?: Failure;
    /** Rows of phases that never started, and the run's closing event, for the outcome that holds. */
    readonly closing: (outcome: Outcome) => {
      readonly neverStarted: readonly NeverStarted[];
      readonly events: readonly NewEvent[];
    };
  };
}

export interface RunFilter {
  readonly status?: RunStatus | undefined;
  readonly repository?: string | undefined;
  /** Only those that come after this run in the list: none when there is no such run. */
  readonly before?: string | undefined;
  /** Newest first; default 50, at most 1000. */
  readonly limit?: number;
}

/**
 * The truth about runs. Every write that needs ownership takes a {@link Hold}, begins with the
 * guarded update of the run's row and throws `RUN_FENCED` (having written nothing) when the epoch
 * has moved on. Times and leases are by the database's clock alone.
 *
 * Faults of the store itself are thrown as SpeckitError `DATABASE_UNAVAILABLE`.
 */
export interface RunRepository {
  /** Stores a run, new or going on from another, and its `run.accepted` event; the sweeper looks at it in 15 s. */
  readonly insertRun: (run: NewRun) => Promise<InsertRunResult>;
  readonly findRun: (runId: string) => Promise<RunRecord | undefined>;
  readonly listRuns: (filter: RunFilter) => Promise<readonly RunRecord[]>;
  /** Oldest first. */
  readonly attemptsOf: (runId: string) => Promise<readonly AttemptRecord[]>;
  readonly artifactsOf: (runId: string) => Promise<readonly StoredArtifact[]>;
  /** In sequence. */
  readonly eventsOf: (
    runId: string,
    range: { readonly afterSeq: number; readonly limit: number },
  ) => Promise<readonly EventRecord[]>;
  readonly checkpointOf: (runId: string) => Promise<Uint8Array | undefined>;

  /** A new worker: an id that no process start has had before. */
  readonly registerWorker: (hostname: string) => Promise<number>;
  /**
   * It consumes and reaches the store; with an engine's id, that one has just answered it too. An
   * engine that no worker has told of for {@link ENGINE_LOST_AFTER_MS} is lost.
   */
  readonly touchWorker: (workerId: number, engineId?: string) => Promise<void>;
  /**
   * Shows the store that this worker lives, by a session that ends with the process: then others
   * need not wait for its leases. An accelerator, never needed for correctness; comes back by itself
   * when it is lost, and is silently off where sessions mean nothing (a transaction pooler).
   */
  readonly holdSession: (workerId: number) => Promise<AsyncDisposable>;

  /**
   * Locks the row, judges the delivery and, if it may, raises the epoch and takes the lease. A worker
   * asks only for what it has not in hand: its own lease is no obstacle.
   */
  readonly claimRun: (claim: {
    readonly runId: string;
    readonly workerId: number;
    readonly leaseMs: number;
    /** The wake-up was delivered before, to somebody who did not ack it. Default false. */
    readonly isRedelivered?: boolean;
    /** The epoch whose owner may be dead, as the wake-up names it. */
    readonly suspectEpoch?: number | undefined;
    /** The engine the worker starts containers on. */
    readonly engineId?: string | undefined;
  }) => Promise<ClaimResult>;
  /** Renews all these leases in one statement. Ids that do not come back are fenced. */
  readonly renewLeases: (
    holds: readonly Hold[],
    leaseMs: number,
  ) => Promise<readonly { readonly runId: string; readonly cancelRequested: boolean }[]>;
  /** Gives the lease back in good order: the next claim is no sign of a crash. Looks again in 15 s. */
  readonly releaseRun: (hold: Hold, events: readonly NewEvent[]) => Promise<void>;

  /** Opens the phase's next attempt. At most one is open per run. @returns its number, from 1 */
  readonly startAttempt: (hold: Hold, phase: Phase) => Promise<number>;
  /**
   * Uses the attempt's single start ticket: the last word on one agent start per attempt.
   *
   * @returns false when it was used before, the attempt is not open, the run has ended or is to be
   * cancelled, or another worker owns it now
   */
  readonly useStartTicket: (hold: Hold, phase: Phase, attempt: number) => Promise<boolean>;
  /**
   * Stores where the open attempt's container is, before that is started: from here on whoever owns
   * the run goes on with it. What is told and kept about its start is stored with it.
   */
  readonly placeAttempt: (
    hold: Hold,
    placed: {
      readonly phase: Phase;
      readonly attempt: number;
      readonly place: JobPlace;
      readonly events: readonly NewEvent[];
      readonly artifacts: readonly StoredArtifact[];
    },
  ) => Promise<void>;
  /** Those of the named attempts that are open, of runs without an outcome: what they have is needed. */
  readonly openAttempts: (names: readonly JobName[]) => Promise<readonly JobName[]>;
  /** @returns the run's outcome after the commit, null while it is live */
  readonly commitAttempt: (hold: Hold, commit: AttemptCommit) => Promise<Outcome | null>;
  /**
   * Allots the run's feature directory once: the given name, else one with the next number of this
   * repository. A second call returns the first one's answer.
   */
  readonly allotFeatureDirectory: (
    hold: Hold,
    allot: {
      /** The name is known already: no number is used up. */
      readonly name?: string | undefined;
      readonly highestInTree: number;
      readonly nameFor: (number: number) => string;
    },
  ) => Promise<string>;
  readonly appendEvents: (hold: Hold, events: readonly NewEvent[]) => Promise<void>;
  readonly addArtifacts: (hold: Hold, artifacts: readonly StoredArtifact[]) => Promise<void>;

  /**
   * Closes the cleanup attempt and the run, if every event has been sent.
   *
   * @returns false when events are left: then the lease is given back and the sweeper looks in 15 s
   */
  readonly finishCleanup: (hold: Hold, attempt: number) => Promise<boolean>;

  /**
   * Takes a command: its row, what it changes in the run's and its event become true together. The
   * same command twice is one. The sweeper looks at the run in 5 s at the latest.
   *
   * - `cancel` marks the run; whoever ends it from then on ends it as cancelled. A second one holds already.
   * - `answer` closes the open round: the run is due. The same answers once more are fine.
   * - `approve` and `reject` decide about the result that waits for approval: the run is due. The same
   *   decision once more is fine.
   * - `resume` makes a run due that waits for its next try; one that waits for a credential not before
   *   that may be used.
   *
   * @param bodyHash tells another command of the same id
   */
  readonly storeCommand: (command: RowCommand, bodyHash: string) => Promise<CommandVerdict>;
  /** In order of their rounds. */
  readonly answersOf: (runId: string) => Promise<readonly AnsweredRound[]>;

  /** Events past the watermark, in sequence. */
  readonly unsentEvents: (runId: string, limit: number) => Promise<readonly EventRecord[]>;
  /** Moves the watermark forward; never back. */
  readonly markEventsSent: (runId: string, seq: number) => Promise<void>;

  /**
   * Runs whose time to be looked at has come and that nobody owns; puts their next look further off
   * each time. Says nothing about messages: a broker may have lost them all.
   *
   * @param only look at this run alone
   */
  readonly sweepRuns: (options: {
    readonly limit: number;
    readonly leaseMs: number;
    readonly only?: string;
  }) => Promise<readonly { readonly runId: string; readonly everClaimed: boolean }[]>;
  /** Runs that no worker has ever claimed. */
  readonly countNeverClaimed: () => Promise<number>;
  /** Unowned runs with unsent events, oldest first. */
  readonly runsWithUnsentEvents: (limit: number) => Promise<readonly string[]>;
  /** Which of these runs have been closed for so long. Ids that are none are fine. */
  readonly closedRuns: (
    runIds: readonly string[],
    forMs: number,
  ) => Promise<readonly { readonly runId: string; readonly gitRemote: string }[]>;
  /** UUID of this deployment, made at the first migration. */
  readonly deploymentId: () => Promise<string>;
}

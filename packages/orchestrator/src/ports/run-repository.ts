import type { RunCommand } from "../contract/run-command.ts";
import type { RunRequest } from "../contract/run-request.ts";
import type { IgnoreReason } from "../domain/delivery.ts";
import type { Phase, PipelinePhase } from "../domain/phase.ts";
import type { Outcome, RunStatus } from "../domain/run-state.ts";
import type { StoredArtifact } from "./artifact-store.ts";
import type { AttemptCommit, NewEvent } from "./attempt-commit.ts";
import type { JobName, JobPlace } from "./job-runtime.ts";
import type { AnsweredRound, AttemptRecord, EventRecord, RunRecord } from "./run-record.ts";

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

/** What became of the wish to keep a run. */
export type KeepVerdict = "kept" | "no such run" | "its artifacts are deleted";

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

  /**
   * Keeps a run whatever its age, live or over, until {@link releaseKeptRun}. Again with another
   * reason: that one holds. A run whose artifacts are deleted can be kept no more.
   */
  readonly keepRun: (runId: string, reason: string | null) => Promise<KeepVerdict>;
  /**
   * Its time counts again, but is not over before `graceMs` from now. A run that nobody keeps stays as
   * it is. @returns false when there is no such run
   */
  readonly releaseKeptRun: (runId: string, graceMs: number) => Promise<boolean>;
  /**
   * Gives up the artifacts of runs that are over, that nobody keeps and whose time has come, those
   * that are longest due first. What is given up stays so: files may be deleted from then on, and
   * not before. Of several who call it at once one does it.
   *
   * @returns how many runs; undefined: somebody else is at it
   */
  readonly giveUpArtifacts: (limit: number) => Promise<number | undefined>;
  /** Which of these runs' artifacts are given up. Ids that are none are fine. */
  readonly givenUpArtifacts: (runIds: readonly string[]) => Promise<readonly string[]>;
  /** Runs that are over and have artifacts that are not given up, by id after `after`. */
  readonly runsWithArtifacts: (page: {
    readonly after?: string | undefined;
    readonly limit: number;
  }) => Promise<readonly string[]>;
  /**
   * Deletes runs with all their rows that have ended `olderThanMs` ago, are over, are kept by nobody,
   * and whose artifacts were given up a day ago: every host had the time to delete its files. Deletes
   * rows of workers that were not seen for so long and own nothing as well. Of several who call it at
   * once one does it.
   *
   * @param limit of each kind
   * @returns how many of each; undefined: somebody else is at it
   */
  readonly deleteOldRows: (old: {
    readonly olderThanMs: number;
    readonly limit: number;
  }) => Promise<{ readonly runs: number; readonly workers: number } | undefined>;
  /** UUID of this deployment, made at the first migration. */
  readonly deploymentId: () => Promise<string>;
}

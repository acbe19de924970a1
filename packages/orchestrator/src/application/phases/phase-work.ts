import type { Usage } from "../../contract/run-result.ts";
import type { Failure, Finding } from "../../domain/failure.ts";
import type { AnsweredQuestion, Question } from "../../domain/questions.ts";
import type { StoredArtifact } from "../../ports/artifact-store.ts";
import type { JobPlace } from "../../ports/job-runtime.ts";
import type { RunFacts, RunRecord } from "../../ports/run-record.ts";
import type { Dependencies } from "../dependencies.ts";
import type { HeldLease } from "../lease-keeper.ts";

/** What a phase is given to work with. */
export interface PhaseContext {
  readonly deps: Dependencies;
  readonly run: RunRecord;
  readonly lease: HeldLease;
  readonly attempt: number;
  /** The attempt's container, which an earlier owner has started: it is gone on with. */
  readonly placed: JobPlace | null;
  /** What was last found wrong with this phase and is to be repaired, empty at its first attempt. */
  readonly findings: readonly Finding[];
  /** The attempt just before, if they are of that: its conversation can be gone on with. */
  readonly repairs: number | undefined;
  /** What people have answered so far, in order. */
  readonly answers: readonly AnsweredQuestion[];
  /** What the run's attempts have used so far. */
  readonly spent: Usage;
  /** What people said about earlier results of this phase that they have rejected, in order. */
  readonly comments: readonly string[];
  /** Milliseconds that are left of this attempt: the less of the phase's deadline and the run's. */
  readonly leftMs: () => number;
  /** The run's deadline is the nearer one. */
  readonly isLastOfRun: boolean;
  /** Aborts when the phase must end: lease lost, cancelled, or the worker stops. */
  readonly signal: AbortSignal;
  /** The same without a cancel: for what is better finished than cut in an unknown place. */
  readonly letGo: AbortSignal;
  /** Filled while the phase works. */
  readonly evidence: Evidence;
  /** New events are in the table. */
  readonly onEvents: () => void;
}

/** What an attempt has left and cost so far: kept with its row, however it ends. */
export interface Evidence {
  readonly artifacts: StoredArtifact[];
  usage?: Usage | undefined;
  /** What the agent said last, where there was one. */
  lastMessage?: string;
  /** Of the container that was made for it. */
  containerId?: string;
}

/** What a phase has found out or made, good or not: stored in one commit. */
export interface PhaseReport {
  /** undefined: the phase succeeded. */
  readonly failure?: Failure;
  readonly facts?: RunFacts;
  readonly checkpoint?: Uint8Array;
  readonly openQuestions?: readonly Question[];
  /** The tree differs from the one the phase began with. */
  readonly changed: boolean;
  /** More for the closing event's data. */
  readonly told?: Readonly<Record<string, unknown>>;
}

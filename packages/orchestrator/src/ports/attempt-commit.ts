import type { RunEventType } from "../contract/run-event.ts";
import type { Usage } from "../contract/run-result.ts";
import type { Failure, Finding } from "../domain/failure.ts";
import type { AgentPhase, Phase, PipelinePhase } from "../domain/phase.ts";
import type { Question } from "../domain/questions.ts";
import type { Outcome } from "../domain/run-state.ts";
import type { StoredArtifact } from "./artifact-store.ts";
import type { Proposal, RunFacts } from "./run-record.ts";

export interface NewEvent {
  readonly type: RunEventType;
  readonly phase?: Phase;
  readonly attempt?: number;
  readonly data?: Readonly<Record<string, unknown>>;
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

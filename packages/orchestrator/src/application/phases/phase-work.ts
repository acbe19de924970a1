import type { Usage } from "../../contract/run-result.ts";
import type { Failure, Finding } from "../../domain/failure.ts";
import type { StoredArtifact } from "../../ports/artifact-store.ts";
import type { RunFacts, RunRecord } from "../../ports/run-repository.ts";
import type { Dependencies } from "../dependencies.ts";
import type { HeldLease } from "../lease-keeper.ts";

/** What a phase is given to work with. */
export interface PhaseContext {
  readonly deps: Dependencies;
  readonly run: RunRecord;
  readonly lease: HeldLease;
  readonly attempt: number;
  /** Findings of the attempt before, when that is why this one was started. */
  readonly findings: readonly Finding[];
  /** Milliseconds this attempt may take; what is less of the phase's deadline and the run's. */
  readonly deadlineMs: number;
  /** The run's deadline is the nearer one. */
  readonly isLastOfRun: boolean;
  /** Aborts when the phase must end: lease lost, cancelled, or the worker stops. */
  readonly signal: AbortSignal;
  /** New events are in the table. */
  readonly onEvents: () => void;
}

/** What a phase has found out or made, good or not: stored in one commit. */
export interface PhaseReport {
  /** undefined: the phase succeeded. */
  readonly failure?: Failure;
  readonly facts?: RunFacts;
  readonly checkpoint?: Uint8Array;
  readonly artifacts?: readonly StoredArtifact[];
  readonly openQuestions?: readonly string[];
  readonly usage?: Usage;
  /** The tree differs from the one the phase began with. */
  readonly changed: boolean;
  /** More for the closing event's data. */
  readonly told?: Readonly<Record<string, unknown>>;
}

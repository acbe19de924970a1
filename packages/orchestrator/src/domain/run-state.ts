import type { FailureClass } from "./failure.ts";
import type { PipelinePhase } from "./phase.ts";
import type { RetryTierMs } from "./retry-policy.ts";

/** How a run ended. Set once; nothing changes it. */
export const OUTCOMES = ["succeeded", "no_changes", "failed", "cancelled"] as const;
export type Outcome = (typeof OUTCOMES)[number];

export const RUN_STATUSES = ["queued", "in_progress", "needs_input", ...OUTCOMES] as const;
export type RunStatus = (typeof RUN_STATUSES)[number];

export const ATTEMPT_STATES = [
  "running",
  "proposed",
  "succeeded",
  "failed",
  "interrupted",
  "skipped",
  "cancelled",
] as const;
export type AttemptState = (typeof ATTEMPT_STATES)[number];

/** One ended start of a phase, as far as decisions need it. */
export interface AttemptFact {
  readonly state: Exclude<AttemptState, "running" | "proposed" | "skipped">;
  readonly failureClass?: FailureClass;
  /** How often an owner died while it was open; default 0. */
  readonly takeovers?: number;
}

/** What became of a proposed result: people said so, or nobody did in time. */
export type Approval = "approved" | "rejected" | "expired";

interface Live {
  readonly pipeline: readonly PipelinePhase[];
  /** Index into `pipeline` of the phase that is next or running. */
  readonly phaseIx: number;
  /** Ended attempts of that phase, oldest first. */
  readonly earlier: readonly AttemptFact[];
  readonly cancelRequested: boolean;
  /** Some phase so far has changed the tree. */
  readonly changed: boolean;
  /** How long the run has rested for its provider's limits, all told, in milliseconds. */
  readonly cooledMs: number;
}

/**
 * A run as decisions see it. Each kind has only the facts that are true of it: an ended run has no
 * phase to misread.
 */
export type RunState =
  | ({ readonly kind: "queued" } & Live)
  /** Claimed or claimable: nothing runs, the next phase may start. */
  | ({ readonly kind: "ready" } & Live)
  | ({ readonly kind: "running"; readonly attempt: number } & Live)
  /** Not before a due time; the row has it. Without a tier no message comes: the sweeper looks. */
  | ({ readonly kind: "waiting"; readonly tierMs: RetryTierMs | null } & Live)
  /** The last attempt met a limit: the run must cool down, in the same commit. */
  | ({ readonly kind: "limited" } & Live)
  /** The phase asks a person: it starts again when there is an answer. */
  | ({ readonly kind: "needs_input" } & Live)
  /**
   * The phase's work is done and its result is proposed to a person; once that is decided, an owner
   * concludes the attempt by it.
   */
  | ({
      readonly kind: "proposed";
      readonly attempt: number;
      readonly decision: "none" | Approval;
    } & Live)
  | {
      readonly kind: "ended";
      readonly outcome: Outcome;
      readonly cleanup: "due" | "running" | "done";
      readonly cleanupStarts: number;
    };

export type LiveState = Exclude<RunState, { readonly kind: "ended" }>;

/** @param from where a retry of another run goes on; default: at the beginning */
export function newRunState(
  pipeline: readonly PipelinePhase[],
  from: { readonly phaseIx: number; readonly changed: boolean } = { phaseIx: 0, changed: false },
): RunState {
  return { kind: "queued", pipeline, ...from, earlier: [], cancelRequested: false, cooledMs: 0 };
}

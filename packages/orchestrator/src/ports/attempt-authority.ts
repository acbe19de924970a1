import type { JobName } from "./job-runtime.ts";
import type { ModelCall, ModelUsage } from "./model-gateway.ts";

/** An attempt that may call its model now. */
export interface LiveAttempt extends JobName {
  /** Public key, base64 of SPKI DER: its tokens are signed with the other half. */
  readonly tokenKey: string;
  /** What its recorded calls have used. */
  readonly spent: ModelUsage & { readonly costUsd: number; readonly calls: number };
}

/**
 * What a gateway that holds no state of its own asks about attempts: the deployment's truth behind a
 * role that may do nothing else.
 *
 * Faults of the store are thrown as SpeckitError `DATABASE_UNAVAILABLE`.
 */
export interface AttemptAuthority {
  /**
   * Uses the attempt's single start ticket.
   *
   * @returns false when it was used before, the attempt is not open, or its run has ended or is to be
   * cancelled
   */
  readonly useStartTicket: (attempt: JobName) => Promise<boolean>;
  /**
   * Those of the named attempts that are open in a container, of a run that goes on. With
   * `heardAgoMs` it is noted that its provider has sent something so long ago.
   */
  readonly liveAttempts: (
    attempts: readonly (JobName & { readonly heardAgoMs?: number })[],
  ) => Promise<readonly LiveAttempt[]>;
  /**
   * Keeps what an ended call came to, also of an attempt that has ended meanwhile.
   *
   * @param callId a UUID: a call that is recorded twice under it is one
   */
  readonly recordCall: (attempt: JobName, callId: string, call: ModelCall) => Promise<void>;
}

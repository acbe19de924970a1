/** Times and limits of a deployment. Defaults in one place: {@link DEFAULT_SETTINGS}. */
export interface Settings {
  /** How long a claim lasts without a renewal. */
  readonly leaseMs: number;
  /** Between two renewals; at most a third of the lease. */
  readonly heartbeatMs: number;
  /** Between two looks of the sweeper. */
  readonly sweepMs: number;
  /** How long one wake-up may be held before it is published again and acked, at a phase boundary. */
  readonly holdMs: number;
  /** Longest time of one phase. */
  readonly phaseDeadlineMs: number;
  /** Longest working time of a run: phases only, no waiting. A request's own limit may lower it. */
  readonly runDeadlineMs: number;
  /** Longest time an agent may print nothing. */
  readonly silenceMs: number;
  /** How long a run that has asked waits for answers; then it fails. */
  readonly answerWithinMs: number;
  /**
   * How long a phase is not started again whose container is on a lost engine. The gateway there may
   * go by the last word it had for 45 s, and the job's entry program by the gateway's for another 45 s,
   * asking every 15 s: then the agent is ended, and this is longer.
   */
  readonly fenceMs: number;
  /** Pull requests are drafts, unless a request says otherwise. */
  readonly draftPullRequests: boolean;
  /** Labels of every pull request. */
  readonly pullRequestLabels: readonly string[];
  /** How long rows of a run are kept from its end; no shorter than its artifacts are. */
  readonly runRetentionMs: number;
  /** With less free space in the state folder, in bytes, no new run is begun. 0: whatever there is. */
  readonly freeBytesFloor: number;
  /** Agents may carry out hooks of the target repository's Spec Kit extensions. */
  readonly extensionHooks: boolean;
}

export const DEFAULT_SETTINGS: Settings = {
  leaseMs: 30_000,
  heartbeatMs: 10_000,
  sweepMs: 15_000,
  holdMs: 600_000,
  phaseDeadlineMs: 900_000,
  runDeadlineMs: 1_800_000,
  silenceMs: 300_000,
  answerWithinMs: 7 * 86_400_000,
  fenceMs: 120_000,
  draftPullRequests: true,
  pullRequestLabels: ["speckit"],
  runRetentionMs: 400 * 86_400_000,
  freeBytesFloor: 1_024 ** 3,
  extensionHooks: false,
};

/**
 * How long a worker trusts a lease after a renewal began: five sixths of it (25 s of 30 s). The rest
 * covers how far its monotonic clock and the database's may disagree, and the time to stop.
 */
export function trustedMs(leaseMs: number): number {
  return (leaseMs * 5) / 6;
}

import type { Outcome } from "../../../domain/run-state.ts";
import { fencedError } from "../../../domain/speckit-error.ts";
import type { AttemptCommit, AttemptEnd, Conclusion } from "../../../ports/attempt-commit.ts";
import type { Hold } from "../../../ports/run-repository.ts";
import { requireOpen, withArtifacts } from "./attempts.ts";
import type { Draft, MemoryDatabase } from "./memory-database.ts";
import { asOwner } from "./ownership.ts";
import { type AttemptRow, stored } from "./rows.ts";

export function commitAttempt(
  database: MemoryDatabase,
  hold: Hold,
  commit: AttemptCommit,
): Outcome | null {
  return asOwner(database, hold, (draft) => {
    if (commit.end !== undefined) {
      closeAttempt(database, draft, hold, commit.end);
    }
    if (commit.conclusion !== undefined) {
      concludeAttempt(draft, hold, commit.conclusion);
    }
    if (commit.end?.proposal !== undefined) {
      draft.proposed = commit.checkpoint?.slice();
    }
    moveRun(database, draft, commit);
    if (commit.checkpoint !== undefined && commit.facts?.tipSha !== undefined) {
      draft.checkpoint = commit.checkpoint.slice();
    }
    draft.artifacts = withArtifacts(draft.artifacts, commit.artifacts ?? []);
    draft.newEvents.push(...commit.events);
    return commit.outcome === undefined ? null : setOutcome(database, draft, hold, commit.outcome);
  });
}

function closeAttempt(database: MemoryDatabase, draft: Draft, hold: Hold, end: AttemptEnd): void {
  requireOpen(draft.attempts, hold, end);
  const nowMs = database.now();
  draft.attempts = draft.attempts.map((row) =>
    row.phase === end.phase && row.attempt === end.attempt
      ? {
          ...row,
          state: end.state,
          endedAt:
            end.endedAt === undefined
              ? nowMs
              : Math.max(row.startedAt ?? nowMs, Math.min(nowMs, end.endedAt.getTime())),
          failure: end.failure === undefined ? null : stored(end.failure),
          findings: stored(end.findings ?? []),
          openQuestions: stored(end.openQuestions ?? []),
          proposal:
            end.proposal === undefined
              ? null
              : stored({ ...end.proposal, decision: null, comment: null }),
          usage: end.usage === undefined ? null : stored(end.usage),
          changed: end.changed ?? false,
        }
      : row,
  );
}

function concludeAttempt(
  draft: Draft,
  hold: Hold,
  { phase, attempt, state, failure }: Conclusion,
): void {
  const isOf = (row: AttemptRow): boolean => row.phase === phase && row.attempt === attempt;
  if (!draft.attempts.some((row) => isOf(row) && row.state === "proposed")) {
    throw fencedError(hold.runId, hold.epoch);
  }
  draft.attempts = draft.attempts.map((row) =>
    isOf(row) ? { ...row, state, failure: failure === undefined ? null : stored(failure) } : row,
  );
  if (state === "succeeded" && draft.proposed !== undefined) {
    draft.checkpoint = draft.proposed;
  }
  draft.proposed = undefined;
}

function moveRun(database: MemoryDatabase, draft: Draft, commit: AttemptCommit): void {
  const { facts = {}, wait } = commit;
  const { run } = draft;
  const nowMs = database.now();
  draft.run = {
    ...run,
    idleClaims: 0,
    phaseIx: Math.max(run.phaseIx, commit.phaseIx ?? 0),
    baseBranch: facts.baseBranch ?? run.baseBranch,
    baseSha: facts.baseSha ?? run.baseSha,
    branchOldSha: facts.branchOldSha === undefined ? run.branchOldSha : facts.branchOldSha,
    tipSha: facts.tipSha ?? run.tipSha,
    pushed: facts.pushed ?? run.pushed,
    diff: facts.diff === undefined ? run.diff : stored(facts.diff),
    pullRequest: facts.pullRequest === undefined ? run.pullRequest : stored(facts.pullRequest),
    specKit: facts.specKit === undefined ? run.specKit : stored(facts.specKit),
    summary: facts.summary === undefined ? run.summary : stored(facts.summary),
    ...(wait === undefined
      ? {}
      : {
          dueAt: nowMs + wait.dueInMs,
          // A cancel that came meanwhile must not wait for the next try.
          wakeAt:
            run.cancelRequestedAt !== null && run.outcome === null ? nowMs : nowMs + wait.wakeInMs,
          leaseOwner: null,
          leaseUntil: null,
          handedOver: true,
          ...(wait.forInput === undefined ? {} : { parkedFor: "input" as const }),
          ...(wait.forInput === "questions" ? { questionRound: run.questionRound + 1 } : {}),
          ...(wait.forFence === undefined ? {} : { parkedFor: "fence" as const }),
          ...(wait.coolDown === undefined
            ? {}
            : {
                parkedFor: "credential" as const,
                credential: wait.coolDown.credential,
                cooledMs: run.cooledMs + wait.dueInMs,
              }),
        }),
  };
}

function setOutcome(
  database: MemoryDatabase,
  draft: Draft,
  hold: Hold,
  wanted: NonNullable<AttemptCommit["outcome"]>,
): Outcome {
  if (draft.run.outcome !== null) {
    throw fencedError(hold.runId, hold.epoch);
  }
  const isCancelled = draft.run.cancelRequestedAt !== null;
  const outcome = isCancelled ? "cancelled" : wanted.outcome;
  const nowMs = database.now();
  draft.run = {
    ...draft.run,
    outcome,
    failure: isCancelled || wanted.failure === undefined ? null : stored(wanted.failure),
    parkedFor: null,
    finishedAt: nowMs,
    dueAt: nowMs,
    artifactsExpireAt: nowMs + database.artifactRetentionMs,
  };
  const { neverStarted, events } = wanted.closing(outcome);
  draft.attempts = [
    ...draft.attempts,
    ...neverStarted.map(
      ({ phase, state }): AttemptRow => ({
        phase,
        attempt: 0,
        state,
        epoch: hold.epoch,
        ticketUsedAt: null,
        takeovers: 0,
        place: null,
        failure: null,
        findings: [],
        openQuestions: [],
        usage: null,
        proposal: null,
        changed: false,
        startedAt: null,
        endedAt: database.now(),
      }),
    ),
  ];
  draft.newEvents.push(
    ...neverStarted.map(({ phase, state }) => ({
      type: state === "skipped" ? ("phase.skipped" as const) : ("phase.cancelled" as const),
      phase,
      attempt: 0,
    })),
    ...events,
  );
  return outcome;
}

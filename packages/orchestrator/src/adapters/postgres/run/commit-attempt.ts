import { type Kysely, sql, type Transaction } from "kysely";
import type { Outcome } from "../../../domain/run-state.ts";
import { fencedError } from "../../../domain/speckit-error.ts";
import type { AttemptCommit, AttemptEnd } from "../../../ports/attempt-commit.ts";
import type { Hold } from "../../../ports/run-repository.ts";
import { insertArtifacts } from "../artifact/artifact-rows.ts";
import { appendEvents } from "../event/append-events.ts";
import { jsonText } from "../json-text.ts";
import type { Database } from "../schema.ts";
import { inTransaction } from "../transaction.ts";
import { concludeAttempt } from "./conclude-attempt.ts";
import { guardRun } from "./guard-run.ts";
import { clockNow, fromNow } from "./interval.ts";
import { setOutcome } from "./set-outcome.ts";

/**
 * The one commit in which a phase's result becomes true: the attempt's row, the run's progress, the
 * checkpoint it resumes from, the artifacts' rows and the events, all or nothing.
 *
 * A worker that dies before it has done nothing, as far as anybody can tell; one that dies after it
 * leaves only a wake-up to be made. A commit whose answer is lost is found out by the next claim,
 * which reads the row.
 */
export async function commitAttempt(
  database: Kysely<Database>,
  hold: Hold,
  commit: AttemptCommit,
  artifactRetentionMs: number,
): Promise<Outcome | null> {
  return inTransaction(database, async (trx) => {
    await guardRun(trx, hold);
    if (commit.end !== undefined) {
      await closeAttempt(trx, hold, commit.end);
    }
    if (commit.conclusion !== undefined) {
      await concludeAttempt(trx, hold, commit.conclusion);
    }
    await moveRun(trx, hold, commit);
    if (commit.end?.proposal !== undefined) {
      await storeProposal(trx, hold.runId, commit.end, commit.checkpoint);
    }
    if (commit.checkpoint !== undefined && commit.facts?.tipSha !== undefined) {
      await storeCheckpoint(trx, hold.runId, commit.facts.tipSha, commit.checkpoint);
    }
    await insertArtifacts(trx, hold.runId, commit.artifacts ?? []);
    await appendEvents(trx, hold.runId, commit.events);
    return commit.outcome === undefined
      ? null
      : setOutcome(trx, hold, commit.outcome, artifactRetentionMs);
  });
}

async function closeAttempt(
  trx: Transaction<Database>,
  hold: Hold,
  end: AttemptEnd,
): Promise<void> {
  const closed = await trx
    .updateTable("spec_workflow_task_states")
    .set({
      state: end.state,
      ended_at:
        end.endedAt === undefined
          ? clockNow
          : sql<Date>`greatest(started_at, least(clock_timestamp(), ${end.endedAt}::timestamptz))`,
      failure: end.failure === undefined ? null : jsonText(end.failure),
      findings: jsonText(end.findings ?? []),
      open_questions: jsonText(end.openQuestions ?? []),
      usage: end.usage === undefined ? null : jsonText(end.usage),
      changed: end.changed ?? false,
    })
    .where("run_id", "=", hold.runId)
    .where("phase", "=", end.phase)
    .where("attempt", "=", end.attempt)
    .where("state", "=", "running")
    .returning("attempt")
    .executeTakeFirst();
  if (closed === undefined) {
    throw fencedError(hold.runId, hold.epoch);
  }
}

async function moveRun(
  trx: Transaction<Database>,
  hold: Hold,
  commit: AttemptCommit,
): Promise<void> {
  const { facts = {}, wait } = commit;
  const { diff, pullRequest, specKit, summary } = facts;
  await trx
    .updateTable("spec_workflow_runs")
    .set({
      // Something was recorded: the next claim is not one more sign of a crash loop.
      idle_claims: 0,
      ...(commit.phaseIx === undefined
        ? {}
        : { phase_ix: sql<number>`greatest(phase_ix, ${commit.phaseIx}::integer)` }),
      ...(facts.baseBranch === undefined ? {} : { base_branch: facts.baseBranch }),
      ...(facts.baseSha === undefined ? {} : { base_sha: facts.baseSha }),
      ...(facts.branchOldSha === undefined ? {} : { branch_old_sha: facts.branchOldSha }),
      ...(facts.tipSha === undefined ? {} : { tip_sha: facts.tipSha }),
      ...(facts.pushed === undefined ? {} : { pushed: facts.pushed }),
      ...(diff === undefined ? {} : { diff: jsonText(diff) }),
      ...(pullRequest === undefined ? {} : { pull_request: jsonText(pullRequest) }),
      ...(specKit === undefined ? {} : { spec_kit: jsonText(specKit) }),
      ...(summary === undefined ? {} : { summary: jsonText(summary) }),
      ...(wait === undefined
        ? {}
        : {
            due_at: fromNow(wait.dueInMs),
            // A cancel that came meanwhile must not wait for the next try.
            wake_at: sql<Date>`CASE WHEN cancel_requested_at IS NOT NULL AND outcome IS NULL
              THEN clock_timestamp() ELSE ${fromNow(wait.wakeInMs)} END`,
            lease_owner: null,
            lease_until: null,
            handed_over: true,
            ...(wait.forInput === undefined ? {} : { parked_for: "input" }),
            ...(wait.forInput === "questions"
              ? { question_round: sql<number>`question_round + 1` }
              : {}),
            ...(wait.forFence === undefined ? {} : { parked_for: "fence" }),
            ...(wait.coolDown === undefined
              ? {}
              : {
                  parked_for: "credential",
                  credential: wait.coolDown.credential,
                  cooled_ms: sql<number>`cooled_ms + ${wait.dueInMs}::bigint`,
                }),
          }),
    })
    .where("id", "=", hold.runId)
    .where("epoch", "=", hold.epoch)
    .execute();
}

async function storeProposal(
  trx: Transaction<Database>,
  runId: string,
  { phase, attempt, proposal }: AttemptEnd,
  bundle: Uint8Array | undefined,
): Promise<void> {
  await trx
    .insertInto("spec_workflow_proposals")
    .values({
      run_id: runId,
      phase,
      attempt,
      tip_sha: proposal?.facts.tipSha ?? "",
      facts: jsonText(proposal?.facts ?? {}),
      told: jsonText(proposal?.told ?? {}),
      bundle: bundle === undefined ? null : Buffer.from(bundle),
    })
    .execute();
}

async function storeCheckpoint(
  trx: Transaction<Database>,
  runId: string,
  tipSha: string,
  bundle: Uint8Array,
): Promise<void> {
  await trx
    .insertInto("spec_workflow_checkpoints")
    .values({ run_id: runId, tip_sha: tipSha, bundle: Buffer.from(bundle) })
    .onConflict((conflict) =>
      conflict.column("run_id").doUpdateSet({
        tip_sha: (eb) => eb.ref("excluded.tip_sha"),
        bundle: (eb) => eb.ref("excluded.bundle"),
        created_at: sql`clock_timestamp()`,
      }),
    )
    .execute();
}

import { type RawBuilder, type Selectable, type SelectQueryBuilder, sql } from "kysely";
import type { AttemptRecord, Proposal, RunRecord } from "../../../ports/run-record.ts";
import type { RunFilter } from "../../../ports/run-repository.ts";
import type { Database, ProposalsTable, RunsTable, TaskStatesTable } from "../schema.ts";
import type { Queryable } from "../transaction.ts";
import { isRunId } from "./is-run-id.ts";

/** Whether somebody owns the run, for people who look; claims judge a lease more closely. */
const liveForReaders = sql<boolean>`
  coalesce(lease_until > clock_timestamp(), false)`;

type RunRow = Selectable<RunsTable> & {
  readonly has_live_lease: boolean;
  readonly is_due: boolean;
};

function selectRuns(
  database: Queryable,
): SelectQueryBuilder<Database, "spec_workflow_runs", RunRow> {
  return database
    .selectFrom("spec_workflow_runs")
    .selectAll()
    .select([
      liveForReaders.as("has_live_lease"),
      sql<boolean>`due_at <= clock_timestamp()`.as("is_due"),
    ]);
}

export async function findRun(database: Queryable, runId: string): Promise<RunRecord | undefined> {
  if (!isRunId(runId)) {
    return undefined;
  }
  const row = await selectRuns(database).where("id", "=", runId).executeTakeFirst();
  return row === undefined ? undefined : runRecord(row);
}

export async function findRunByKey(
  database: Queryable,
  key: { readonly runId: string; readonly idempotencyKey: string | null },
): Promise<{ readonly run: RunRecord; readonly requestHash: string } | undefined> {
  const row = await selectRuns(database)
    .where((eb) =>
      key.idempotencyKey === null
        ? eb("id", "=", key.runId)
        : eb.or([eb("id", "=", key.runId), eb("idempotency_key", "=", key.idempotencyKey)]),
    )
    // The key names the business; where both match different runs, it decides.
    .orderBy(sql`idempotency_key IS NOT DISTINCT FROM ${key.idempotencyKey}`, "desc")
    .executeTakeFirst();
  return row === undefined ? undefined : { run: runRecord(row), requestHash: row.request_hash };
}

export async function listRuns(
  database: Queryable,
  filter: RunFilter,
): Promise<readonly RunRecord[]> {
  let query = selectRuns(database);
  if (filter.status !== undefined) {
    query = query.where("status", "=", filter.status);
  }
  if (filter.repository !== undefined) {
    query = query.where("repository", "=", filter.repository);
  }
  if (filter.before !== undefined) {
    if (!isRunId(filter.before)) {
      return [];
    }
    // The first condition alone lets the index begin at the right place.
    query = query
      .where(sql<boolean>`created_at <= (${createdAtOf(filter.before)})`)
      .where(sql<boolean>`(created_at < (${createdAtOf(filter.before)}) OR id > ${filter.before})`);
  }
  const rows = await query
    .orderBy("created_at", "desc")
    .orderBy("id")
    .limit(Math.min(filter.limit ?? 50, 1_000))
    .execute();
  return rows.map(runRecord);
}

function createdAtOf(runId: string): RawBuilder<Date> {
  return sql<Date>`SELECT created_at FROM spec_workflow_runs WHERE id = ${runId}`;
}

export async function attemptsOf(
  database: Queryable,
  runId: string,
): Promise<readonly AttemptRecord[]> {
  const rows = await database
    .selectFrom("spec_workflow_task_states")
    .leftJoin("spec_workflow_proposals as proposal", (join) =>
      join
        .onRef("proposal.run_id", "=", "spec_workflow_task_states.run_id")
        .onRef("proposal.phase", "=", "spec_workflow_task_states.phase")
        .onRef("proposal.attempt", "=", "spec_workflow_task_states.attempt"),
    )
    .selectAll("spec_workflow_task_states")
    .select(["proposal.facts", "proposal.told", "proposal.decision", "proposal.comment"])
    .select(
      sql<number | null>`
        (extract(epoch FROM coalesce(ended_at, clock_timestamp()) - started_at) * 1000)::bigint`.as(
        "duration_ms",
      ),
    )
    .where("spec_workflow_task_states.run_id", "=", runId)
    .orderBy(sql`coalesce(started_at, ended_at)`)
    .orderBy("spec_workflow_task_states.attempt")
    .execute();
  return rows.map(attemptRecord);
}

export async function checkpointOf(
  database: Queryable,
  runId: string,
): Promise<Uint8Array | undefined> {
  const row = await database
    .selectFrom("spec_workflow_checkpoints")
    .select("bundle")
    .where("run_id", "=", runId)
    .executeTakeFirst();
  return row?.bundle;
}

/** The columns are written by this adapter alone, from the types they are read as. */
function runRecord(row: RunRow): RunRecord {
  return {
    runId: row.id,
    request: row.request as RunRecord["request"],
    repository: row.repository,
    gitRemote: row.git_remote,
    branch: row.branch,
    agent: row.agent,
    pipeline: row.pipeline as RunRecord["pipeline"][number][],
    featureDirectory: row.feature_directory,
    baseBranch: row.base_branch,
    baseSha: row.base_sha,
    tipSha: row.tip_sha,
    branchOldSha: row.branch_old_sha,
    pushed: row.pushed,
    diff: row.diff as RunRecord["diff"],
    pullRequest: row.pull_request as RunRecord["pullRequest"],
    specKit: row.spec_kit as RunRecord["specKit"],
    summary: row.summary as RunRecord["summary"],
    status: row.status as RunRecord["status"],
    outcome: row.outcome as RunRecord["outcome"],
    failure: row.failure as RunRecord["failure"],
    phaseIx: row.phase_ix,
    epoch: row.epoch,
    leaseOwner: row.lease_owner,
    leaseUntil: row.lease_until,
    hasLiveLease: row.has_live_lease,
    dueAt: row.due_at,
    isDue: row.is_due,
    wakeAt: row.wake_at,
    cancelRequested: row.cancel_requested_at !== null,
    parkedFor: row.parked_for as RunRecord["parkedFor"],
    credential: row.credential,
    cooledMs: row.cooled_ms,
    questionRound: row.question_round,
    idleClaims: row.idle_claims,
    retryOf: row.retry_of,
    firstPhaseIx: row.first_phase_ix,
    changedBefore: row.changed_before,
    replyTo: row.reply_to,
    correlationId: row.correlation_id,
    lastSeq: row.last_seq,
    sentSeq: row.sent_seq,
    createdAt: row.created_at,
    startedAt: row.started_at,
    finishedAt: row.finished_at,
    cleanedAt: row.cleaned_at,
    artifactsExpireAt: row.artifacts_expire_at,
    artifactsDeletedAt: row.artifacts_deleted_at,
    keptAt: row.kept_at,
    keptReason: row.kept_reason,
  };
}

function attemptRecord(
  row: Selectable<TaskStatesTable> &
    Partial<Pick<Selectable<ProposalsTable>, "decision" | "comment">> & {
      readonly duration_ms: number | null;
      readonly facts: unknown;
      readonly told: unknown;
    },
): AttemptRecord {
  return {
    phase: row.phase as AttemptRecord["phase"],
    attempt: row.attempt,
    state: row.state as AttemptRecord["state"],
    failure: row.failure as AttemptRecord["failure"],
    findings: row.findings as AttemptRecord["findings"],
    openQuestions: row.open_questions as AttemptRecord["openQuestions"],
    takeovers: row.takeovers,
    place:
      row.engine_id === null || row.container_id === null || row.token_key === null
        ? null
        : { engineId: row.engine_id, containerId: row.container_id, tokenKey: row.token_key },
    proposal:
      row.facts === null
        ? null
        : {
            facts: row.facts as Proposal["facts"],
            told: row.told as Proposal["told"],
            decision: (row.decision ?? null) as Proposal["decision"],
            comment: row.comment ?? null,
          },
    usage: row.usage as AttemptRecord["usage"],
    changed: row.changed,
    startedAt: row.started_at,
    endedAt: row.ended_at,
    durationMs: row.duration_ms,
  };
}

import { setTimeout as pause } from "node:timers/promises";
import { type Kysely, sql, type Transaction } from "kysely";
import { type DeliveryFacts, judgeDelivery } from "../../../domain/delivery.ts";
import { type ClaimResult, ENGINE_LOST_AFTER_MS } from "../../../ports/run-repository.ts";
import { appendEvents } from "../event/append-events.ts";
import type { Database } from "../schema.ts";
import { inTransaction } from "../transaction.ts";
import { isSessionGone } from "../worker/worker-session.ts";
import { AFTER_LEASE_MS, clockNow, fromNow } from "./interval.ts";
import { attemptsOf, findRun } from "./read-run.ts";

interface Claim {
  readonly runId: string;
  readonly workerId: number;
  readonly leaseMs: number;
  readonly isRedelivered?: boolean;
  readonly suspectEpoch?: number | undefined;
  readonly engineId?: string | undefined;
}

/**
 * A broker notices a killed worker's closed socket within some 16 ms, and its delivery may be here
 * before PostgreSQL has noticed the other socket: it is asked a few times before that is called alive.
 */
const PROBES = 4;
const BETWEEN_PROBES_MS = 100;

/**
 * The lease. A claim raises the run's epoch and holds until `lease_until` by the database's clock;
 * the owner renews it every third of its length. Every write of an owner names the epoch it
 * claimed with and touches no row when that has moved on, so at most one worker's writes count:
 *
 * - The owner dies: nobody renews, the lease ends, the sweeper's next look makes a wake-up, whoever
 *   gets that claims with epoch + 1.
 * - The owner sleeps through its lease and wakes up: its next write finds no row. It is fenced and
 *   writes nothing more; what it started is the new owner's.
 * - Two workers claim at once: the row lock orders them; the second sees the first one's lease.
 *
 * - The owner was killed: its session lock went with it. A wake-up that the broker delivered again,
 *   or that names the owner's epoch, may take the run over before the lease has run out.
 *
 * A lease further ahead than two lengths is the mark of a server clock that was set back; it counts
 * as expired, or the run would wait for the clock to catch up.
 */
export async function claimRun(database: Kysely<Database>, claim: Claim): Promise<ClaimResult> {
  for (let probe = 1; ; probe += 1) {
    const result = await tryClaim(database, claim);
    if (result.claimed || result.because !== "its owner may be dead" || probe === PROBES) {
      return result;
    }
    // Without the row's lock: the owner, if it lives, renews its lease meanwhile.
    await pause(BETWEEN_PROBES_MS);
  }
}

function tryClaim(database: Kysely<Database>, claim: Claim): Promise<ClaimResult> {
  return inTransaction(database, async (trx) => {
    await sql`SET LOCAL lock_timeout = '2s'`.execute(trx);
    const row = await lockRow(trx, claim);
    const decision = judgeDelivery(row);
    if (decision.do === "ignore" || row === undefined) {
      return {
        claimed: false,
        because: decision.do === "ignore" ? decision.because : "no such run",
      };
    }
    if (decision.do === "send_to_engine") {
      return { claimed: false, because: "its engine is another", engineId: row.engineId ?? "" };
    }
    if (decision.do === "ask_again") {
      return { claimed: false, because: "its owner may be dead", epoch: row.epoch };
    }
    await trx
      .updateTable("spec_workflow_runs")
      .set((eb) => ({
        epoch: eb("epoch", "+", 1),
        lease_owner: claim.workerId,
        lease_until: fromNow(claim.leaseMs),
        wake_at: fromNow(claim.leaseMs + AFTER_LEASE_MS),
        sweeps: 0,
        // What it still waits for is people's word.
        parked_for: sql<string | null>`CASE WHEN parked_for = 'input' THEN parked_for END`,
        handed_over: false,
        idle_claims: sql<number>`idle_claims + CASE WHEN handed_over THEN 0 ELSE 1 END`,
        started_at: eb.fn.coalesce("started_at", clockNow),
      }))
      .where("id", "=", claim.runId)
      .where("epoch", "=", row.epoch)
      .execute();
    if (row.owner !== null && row.owner !== claim.workerId) {
      // Whoever had it has neither ended its attempt nor given it back.
      await trx
        .updateTable("spec_workflow_task_states")
        .set((eb) => ({ takeovers: eb("takeovers", "+", 1) }))
        .where("run_id", "=", claim.runId)
        .where("state", "=", "running")
        .execute();
    }
    const type = row.epoch === 0 ? "run.started" : "run.claimed";
    await appendEvents(trx, claim.runId, [
      {
        type,
        data: {
          epoch: row.epoch + 1,
          workerId: claim.workerId,
          ...(row.lease === "other" ? { tookOverFrom: row.owner } : {}),
        },
      },
    ]);
    const run = await findRun(trx, claim.runId);
    if (run === undefined) {
      throw new Error(`Run ${claim.runId} is gone while its row is locked`);
    }
    const { leftAt } = row;
    return { claimed: true, run, attempts: await attemptsOf(trx, claim.runId), leftAt };
  });
}

async function lockRow(
  trx: Transaction<Database>,
  claim: Claim,
): Promise<
  | (DeliveryFacts & {
      readonly epoch: number;
      readonly owner: number | null;
      readonly leftAt: Date | null;
      readonly engineId: string | null;
    })
  | undefined
> {
  const row = await trx
    .selectFrom("spec_workflow_runs")
    .select((eb) => [
      "epoch",
      "lease_owner",
      "lease_until",
      eb("cleaned_at", "is not", null).as("cleaned"),
      eb("outcome", "is not", null).as("ended"),
      eb("cancel_requested_at", "is not", null).as("cancelRequested"),
      sql<boolean>`due_at <= clock_timestamp()`.as("due"),
      sql<boolean>`coalesce(lease_until > clock_timestamp()
        AND lease_until <= ${fromNow(2 * claim.leaseMs)}, false)`.as("live"),
      eb
        .selectFrom("spec_workflow_task_states as task")
        .select("task.engine_id")
        .where("task.run_id", "=", claim.runId)
        .where("task.state", "=", "running")
        .as("engineId"),
    ])
    .where("id", "=", claim.runId)
    .forNoKeyUpdate()
    .executeTakeFirst();
  if (row === undefined) {
    return undefined;
  }
  const { cleaned, ended, cancelRequested, due, epoch, engineId } = row;
  const lease = row.live && row.lease_owner !== claim.workerId ? "other" : "free";
  const suspicion =
    claim.suspectEpoch === epoch ? "epoch" : claim.isRedelivered === true ? "redelivered" : "none";
  const asksForOwner = lease === "other" && suspicion !== "none" && row.lease_owner !== null;
  return {
    suspicion,
    ownerIsGone: asksForOwner && (await isSessionGone(trx, row.lease_owner ?? 0)),
    owner: row.lease_owner,
    leftAt: row.lease_until,
    cleaned: Boolean(cleaned),
    ended: Boolean(ended),
    cancelRequested: Boolean(cancelRequested),
    due,
    lease,
    epoch,
    engineId,
    job:
      engineId === null
        ? "none"
        : engineId === claim.engineId
          ? "here"
          : (await isEngineHeard(trx, engineId))
            ? "elsewhere"
            : "lost",
  };
}

/** Whether some worker has told of it lately: one that consumes, and that it answers. */
async function isEngineHeard(trx: Transaction<Database>, engineId: string): Promise<boolean> {
  const row = await trx
    .selectFrom("spec_workflow_workers")
    .select("id")
    .where("engine_id", "=", engineId)
    .where("engine_seen_at", ">", fromNow(-ENGINE_LOST_AFTER_MS))
    .limit(1)
    .executeTakeFirst();
  return row !== undefined;
}

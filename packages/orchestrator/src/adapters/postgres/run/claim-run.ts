import { type Kysely, sql, type Transaction } from "kysely";
import { type DeliveryFacts, judgeDelivery } from "../../../domain/delivery.ts";
import type { ClaimResult } from "../../../ports/run-repository.ts";
import { appendEvents } from "../event/append-events.ts";
import type { Database } from "../schema.ts";
import { inTransaction } from "../transaction.ts";
import { AFTER_LEASE_MS, clockNow, fromNow } from "./interval.ts";
import { attemptsOf, findRun } from "./read-run.ts";

interface Claim {
  readonly runId: string;
  readonly workerId: number;
  readonly leaseMs: number;
}

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
 * A lease further ahead than two lengths is the mark of a server clock that was set back; it counts
 * as expired, or the run would wait for the clock to catch up.
 */
export async function claimRun(database: Kysely<Database>, claim: Claim): Promise<ClaimResult> {
  return inTransaction(database, async (trx) => {
    await sql`SET LOCAL lock_timeout = '2s'`.execute(trx);
    const row = await lockRow(trx, claim);
    const decision = judgeDelivery(row);
    if (row === undefined || decision.do === "ignore") {
      return {
        claimed: false,
        because: decision.do === "ignore" ? decision.because : "no such run",
      };
    }
    await trx
      .updateTable("spec_workflow_runs")
      .set((eb) => ({
        epoch: eb("epoch", "+", 1),
        lease_owner: claim.workerId,
        lease_until: fromNow(claim.leaseMs),
        wake_at: fromNow(claim.leaseMs + AFTER_LEASE_MS),
        sweeps: 0,
        parked_for: null,
        handed_over: false,
        idle_claims: sql<number>`idle_claims + CASE WHEN handed_over THEN 0 ELSE 1 END`,
        started_at: eb.fn.coalesce("started_at", clockNow),
      }))
      .where("id", "=", claim.runId)
      .where("epoch", "=", row.epoch)
      .execute();
    const type = row.epoch === 0 ? "run.started" : "run.claimed";
    await appendEvents(trx, claim.runId, [
      { type, data: { epoch: row.epoch + 1, workerId: claim.workerId } },
    ]);
    const run = await findRun(trx, claim.runId);
    if (run === undefined) {
      throw new Error(`Run ${claim.runId} is gone while its row is locked`);
    }
    return { claimed: true, run, attempts: await attemptsOf(trx, claim.runId) };
  });
}

async function lockRow(
  trx: Transaction<Database>,
  claim: Claim,
): Promise<(DeliveryFacts & { readonly epoch: number }) | undefined> {
  const row = await trx
    .selectFrom("spec_workflow_runs")
    .select((eb) => [
      "epoch",
      "lease_owner",
      eb("cleaned_at", "is not", null).as("cleaned"),
      eb("outcome", "is not", null).as("ended"),
      eb("cancel_requested_at", "is not", null).as("cancelRequested"),
      eb.fn.coalesce(eb("parked_for", "=", "input"), eb.lit(false)).as("needsInput"),
      sql<boolean>`due_at <= clock_timestamp()`.as("due"),
      sql<boolean>`coalesce(lease_until > clock_timestamp()
        AND lease_until <= ${fromNow(2 * claim.leaseMs)}, false)`.as("live"),
    ])
    .where("id", "=", claim.runId)
    .forNoKeyUpdate()
    .executeTakeFirst();
  if (row === undefined) {
    return undefined;
  }
  const { cleaned, ended, cancelRequested, needsInput, due, epoch } = row;
  const lease = !row.live ? "free" : row.lease_owner === claim.workerId ? "mine" : "other";
  return {
    cleaned: Boolean(cleaned),
    ended: Boolean(ended),
    cancelRequested: Boolean(cancelRequested),
    needsInput: Boolean(needsInput),
    due,
    lease,
    epoch,
  };
}

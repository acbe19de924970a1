import { type Kysely, sql } from "kysely";
import type { AttemptAuthority, LiveAttempt } from "../../../ports/attempt-authority.ts";
import type { JobName } from "../../../ports/job-runtime.ts";
import { jsonText } from "../json-text.ts";
import { isRunId } from "../run/is-run-id.ts";
import type { Database } from "../schema.ts";
import { inStatement } from "../transaction.ts";

/** A live attempt as the function tells it. */
interface LiveRow {
  readonly run_id: string;
  readonly phase: string;
  readonly attempt: number;
  readonly token_key: string;
  readonly calls: number;
  readonly input_tokens: number;
  readonly cached_input_tokens: number;
  readonly output_tokens: number;
  readonly cost_usd: number;
}

/** Asks the functions of migration 0006, never a table. */
export function attemptAuthority(database: Kysely<Database>): AttemptAuthority {
  return {
    useStartTicket: (name) =>
      inStatement(async () => {
        if (!canBe(name)) {
          return false;
        }
        const { rows } = await sql<{ used: boolean }>`
          SELECT spec_workflow_gateway_use_start_ticket(
            ${name.runId}::uuid, ${name.phase}, ${name.attempt}::integer) AS used`.execute(
          database,
        );
        return rows[0]?.used === true;
      }),
    liveAttempts: (attempts) =>
      inStatement(async () => {
        const asked = attempts.filter(canBe);
        if (asked.length === 0) {
          return [];
        }
        const { rows } = await sql<LiveRow>`
          SELECT * FROM spec_workflow_gateway_live_attempts(${jsonText(asked)}::jsonb)`.execute(
          database,
        );
        return rows.map(liveAttempt);
      }),
    recordCall: (name, callId, call) =>
      inStatement(async () => {
        await sql`SELECT spec_workflow_gateway_record_call(${name.runId}::uuid, ${name.phase},
          ${name.attempt}::integer, ${callId}::uuid, ${jsonText(call)}::jsonb)`.execute(database);
      }),
  };
}

const LARGEST_INTEGER = 2 ** 31 - 1;

/** A name no row can have is no fault of the store. */
function canBe({ runId, phase, attempt }: JobName): boolean {
  return (
    isRunId(runId) &&
    phase.length <= 64 &&
    Number.isInteger(attempt) &&
    attempt > 0 &&
    attempt <= LARGEST_INTEGER
  );
}

function liveAttempt(row: LiveRow): LiveAttempt {
  return {
    runId: row.run_id,
    phase: row.phase,
    attempt: row.attempt,
    tokenKey: row.token_key,
    spent: {
      calls: row.calls,
      inputTokens: row.input_tokens,
      cachedInputTokens: row.cached_input_tokens,
      outputTokens: row.output_tokens,
      costUsd: row.cost_usd,
    },
  };
}

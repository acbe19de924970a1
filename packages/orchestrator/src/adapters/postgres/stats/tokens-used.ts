import { sql } from "kysely";
import type { RunStatistics } from "../../../contract/statistics.ts";
import type { StatisticsQuery } from "../../../ports/run-statistics.ts";
import type { Queryable } from "../transaction.ts";
import { endedRuns } from "./period.ts";

const MOST = 50;

type Usage = RunStatistics["usage"];
type Row = Usage["total"] & {
  readonly kind: "total" | "repository" | "agent";
  readonly repository: string;
  readonly agent: string;
};

/** Tokens and cost of all attempts, also the failed ones: they were paid for. */
export async function tokensUsed(database: Queryable, query: StatisticsQuery): Promise<Usage> {
  const result = await sql<Row>`
    WITH ended AS MATERIALIZED (
      SELECT run.id, run.repository, run.agent FROM ${endedRuns(query)}
    ), used AS (
      SELECT run_id,
        sum((usage ->> 'inputTokens')::bigint) AS input,
        sum((usage ->> 'cachedInputTokens')::bigint) AS cached,
        sum((usage ->> 'outputTokens')::bigint) AS output,
        sum((usage ->> 'costUsd')::float8) AS cost,
        count(*) FILTER (WHERE usage ->> 'costUsd' IS NULL AND
          (usage ->> 'inputTokens')::bigint + (usage ->> 'outputTokens')::bigint > 0) AS unpriced
      FROM spec_workflow_task_states JOIN ended ON ended.id = run_id
      WHERE usage IS NOT NULL
      GROUP BY run_id
    ), sums AS (
      SELECT
        CASE WHEN grouping(repository) = 0 THEN 'repository'
          WHEN grouping(agent) = 0 THEN 'agent' ELSE 'total' END AS kind,
        repository, agent, count(*) AS runs,
        coalesce(sum(input), 0)::bigint AS "inputTokens",
        coalesce(sum(cached), 0)::bigint AS "cachedInputTokens",
        coalesce(sum(output), 0)::bigint AS "outputTokens",
        coalesce(sum(cost), 0) AS "costUsd",
        coalesce(sum(unpriced), 0)::bigint AS "attemptsWithoutCost"
      FROM ended LEFT JOIN used ON used.run_id = ended.id
      GROUP BY GROUPING SETS ((), (repository), (agent))
    ), ranked AS (
      SELECT *, row_number() OVER (
        PARTITION BY kind
        ORDER BY "inputTokens" + "outputTokens" DESC, runs DESC, coalesce(repository, agent) COLLATE "C"
      ) AS place
      FROM sums
    )
    SELECT * FROM ranked WHERE place <= ${MOST} ORDER BY kind, place
  `.execute(database);
  const of = (kind: Row["kind"]) => result.rows.filter((row) => row.kind === kind);
  const [total] = of("total");
  if (total === undefined) {
    throw new Error("The grouping set () has one row");
  }
  return {
    total: sums(total),
    byRepository: of("repository").map((row) => ({ repository: row.repository, ...sums(row) })),
    byAgent: of("agent").map((row) => ({ agent: row.agent, ...sums(row) })),
  };
}

function sums(row: Row): Usage["total"] {
  const { runs, inputTokens, cachedInputTokens, outputTokens, costUsd, attemptsWithoutCost } = row;
  return { runs, inputTokens, cachedInputTokens, outputTokens, costUsd, attemptsWithoutCost };
}

import { type RawBuilder, sql } from "kysely";
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
    WITH used AS (
      SELECT run.id, run.repository, run.agent, task.usage
      FROM (SELECT run.id, run.repository, run.agent FROM ${endedRuns(query)}) AS run
      LEFT JOIN spec_workflow_task_states AS task
        ON task.run_id = run.id AND task.usage IS NOT NULL
    ), sums AS (
      SELECT
        CASE WHEN grouping(repository) = 0 THEN 'repository'
          WHEN grouping(agent) = 0 THEN 'agent' ELSE 'total' END AS kind,
        repository, agent, count(DISTINCT id) AS runs,
        ${sumOf("inputTokens")} AS "inputTokens",
        ${sumOf("cachedInputTokens")} AS "cachedInputTokens",
        ${sumOf("outputTokens")} AS "outputTokens",
        coalesce(sum((usage ->> 'costUsd')::float8), 0) AS "costUsd",
        count(*) FILTER (WHERE usage ->> 'costUsd' IS NULL AND
          (usage ->> 'inputTokens')::bigint + (usage ->> 'outputTokens')::bigint > 0)
          AS "attemptsWithoutCost"
      FROM used
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

function sumOf(name: string): RawBuilder<number> {
  return sql<number>`coalesce(sum((usage ->> ${sql.lit(name)})::bigint), 0)::bigint`;
}

function sums(row: Row): Usage["total"] {
  const { runs, inputTokens, cachedInputTokens, outputTokens, costUsd, attemptsWithoutCost } = row;
  return { runs, inputTokens, cachedInputTokens, outputTokens, costUsd, attemptsWithoutCost };
}

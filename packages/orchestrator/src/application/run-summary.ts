import type { RunSummary } from "../contract/run-pages.ts";
import type { RunRecord } from "../ports/run-record.ts";

/** A run as lists show it. */
export function runSummaryOf(run: RunRecord): RunSummary {
  const { runId, status, repository, branch, agent, createdAt, finishedAt } = run;
  return {
    runId,
    status,
    repository,
    branch,
    agent,
    createdAt: createdAt.toISOString(),
    finishedAt: finishedAt?.toISOString() ?? null,
  };
}

import { RUN_STATUSES, runSummaryOf, SpeckitError } from "@speckit/orchestrator";
import { runPageSchema } from "@speckit/orchestrator/contract";
import { z } from "zod";
import { pageLimit } from "./page-limit.ts";
import { resource } from "./resource.ts";

export const listRuns = resource({
  path: "/v1/runs",
  operationId: "listRuns",
  summary: "Runs, newest first.",
  query: z.strictObject({
    status: z.enum(RUN_STATUSES).optional().meta({ description: "only runs of this status" }),
    repository: z.string().min(1).optional().meta({ description: "only runs of this repository" }),
    limit: pageLimit,
    before: z.uuid().optional().meta({ description: "older than this run: the page after it" }),
  }),
  answer: { name: "RunPage", schema: runPageSchema },
  read: async (orchestrator, { query }) => {
    const { limit, before } = query;
    if (before !== undefined && (await orchestrator.find(before)) === undefined) {
      throw new SpeckitError("REQUEST_INVALID", `before: there is no run ${before}`);
    }
    // One more than is shown tells whether there is a next page.
    const found = await orchestrator.list({ ...query, limit: limit + 1 });
    const runs = found.slice(0, limit).map(runSummaryOf);
    return { runs, before: found.length > limit ? (runs.at(-1)?.runId ?? null) : null };
  },
});

import { DURATION_FORM, parseDuration, statisticsSchema } from "@speckit/orchestrator/contract";
import { z } from "zod";
import { resource } from "./resource.ts";

const duration = z
  .string()
  .refine((text) => parseDuration(text) !== undefined, { error: `expected ${DURATION_FORM}` });

export const showStatistics = resource({
  path: "/v1/stats",
  operationId: "showStatistics",
  summary: "Runs of a period in numbers.",
  query: z.strictObject({
    since: duration.default("7d").meta({ description: "of the time from so long ago" }),
    slo: duration.default("20m").meta({ description: "what a run may take" }),
    repository: z.string().min(1).optional().meta({ description: "only runs of this repository" }),
  }),
  answer: { name: "Statistics", schema: statisticsSchema },
  read: (orchestrator, { query: { since, slo, repository } }) => {
    const [sinceMs, targetMs] = [parseDuration(since), parseDuration(slo)];
    return orchestrator.statistics({
      ...(sinceMs === undefined ? {} : { sinceMs }),
      ...(targetMs === undefined ? {} : { targetMs }),
      repository,
    });
  },
});

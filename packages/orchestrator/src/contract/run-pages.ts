import { z } from "zod";
import { RUN_STATUSES } from "../domain/run-state.ts";
import { cloudEventSchema } from "./run-event.ts";
import { runResultSchema } from "./run-result.ts";

/** A run as lists show it: what `speckit list --json` prints for each. */
export const runSummarySchema = z.object({
  runId: z.uuid(),
  status: z.enum(RUN_STATUSES),
  repository: z.string(),
  branch: z.string(),
  agent: z.string().meta({ description: "name of the backend" }),
  createdAt: z.iso.datetime(),
  finishedAt: z.iso.datetime().nullable(),
});
export type RunSummary = z.infer<typeof runSummarySchema>;

/** What `GET /v1/runs` answers. */
export const runPageSchema = z.object({
  runs: z.array(runSummarySchema).meta({ description: "newest first" }),
  before: z
    .uuid()
    .nullable()
    .meta({ description: "the parameter `before` of the next page; null: this was the last" }),
});

/** What `GET /v1/runs/<id>/artifacts` answers. */
export const artifactListSchema = runResultSchema.pick({
  artifacts: true,
  artifactsExpireAt: true,
});

/** What `GET /v1/runs/<id>/events` answers. */
export const eventPageSchema = z.object({
  events: z.array(cloudEventSchema).meta({ description: "in sequence, as they are published" }),
  after: z.int().min(0).meta({
    description: "the parameter `after` of the next page; more may come while a run lives",
  }),
});

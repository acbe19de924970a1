import { explanationSchema } from "@speckit/orchestrator/contract";
import { z } from "zod";
import { resource } from "./resource.ts";

export const explainRun = resource({
  path: "/v1/runs/{runId}/explanation",
  operationId: "explainRun",
  summary: "Why a run is where it is, and what to do about it.",
  query: z.strictObject({}),
  answer: { name: "Explanation", schema: explanationSchema },
  read: (orchestrator, { runId }) => orchestrator.explain(runId),
});

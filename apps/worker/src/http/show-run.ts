import { runResultSchema } from "@speckit/orchestrator/contract";
import { z } from "zod";
import { resource } from "./resource.ts";

export const showRun = resource({
  path: "/v1/runs/{runId}",
  operationId: "showRun",
  summary: "A run's result envelope as it stands now.",
  query: z.strictObject({}),
  answer: { name: "RunResult", schema: runResultSchema },
  read: (orchestrator, { runId }) => orchestrator.result(runId),
});

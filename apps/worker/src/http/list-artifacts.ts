import { artifactListSchema } from "@speckit/orchestrator/contract";
import { z } from "zod";
import { resource } from "./resource.ts";

/** Their content is in the state folder of the worker that made them. */
export const listArtifacts = resource({
  path: "/v1/runs/{runId}/artifacts",
  operationId: "listArtifacts",
  summary: "Files kept as evidence: names, sizes and digests.",
  query: z.strictObject({}),
  answer: { name: "ArtifactList", schema: artifactListSchema },
  read: async (orchestrator, { runId }) => {
    const { artifacts, artifactsExpireAt } = await orchestrator.result(runId);
    return { artifacts, ...(artifactsExpireAt === undefined ? {} : { artifactsExpireAt }) };
  },
});

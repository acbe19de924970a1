import { cloudEventOf, runNotFound } from "@speckit/orchestrator";
import { eventPageSchema } from "@speckit/orchestrator/contract";
import { z } from "zod";
import { pageLimit } from "./page-limit.ts";
import { resource } from "./resource.ts";

export const listEvents = resource({
  path: "/v1/runs/{runId}/events",
  operationId: "listEvents",
  summary: "What happened to a run, as CloudEvents.",
  query: z.strictObject({
    after: z.coerce
      .number({ error: "expected a whole number" })
      .int({ error: "expected a whole number" })
      .min(0, { error: "expected at least 0" })
      .default(0)
      .meta({ description: "events after this sequence number" }),
    limit: pageLimit,
  }),
  answer: { name: "EventPage", schema: eventPageSchema },
  read: async (orchestrator, { runId, query }) => {
    if ((await orchestrator.find(runId)) === undefined) {
      throw runNotFound(runId);
    }
    const { after, limit } = query;
    const events = await orchestrator.events(runId, { afterSeq: after, limit });
    const deploymentId = await orchestrator.deploymentId();
    return {
      events: events.map((event) => cloudEventOf(event, deploymentId)),
      after: events.at(-1)?.seq ?? after,
    };
  },
});

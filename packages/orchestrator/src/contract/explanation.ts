import { z } from "zod";
import { FAILURE_CLASSES } from "../domain/failure.ts";
import { PHASES } from "../domain/phase.ts";
import { ATTEMPT_STATES, RUN_STATUSES } from "../domain/run-state.ts";
import { WAITS } from "../domain/wait.ts";
import { failureSchema, questionSchema } from "./run-result.ts";

/** What `speckit explain --json` prints and `GET /v1/runs/<id>/explanation` answers. */
export const explanationSchema = z.object({
  runId: z.uuid(),
  status: z.enum(RUN_STATUSES),
  headline: z
    .string()
    .meta({ description: "where the run is and why, in one sentence for people" }),
  asOf: z.iso
    .datetime()
    .meta({ description: "the database's clock; durations in words are from it" }),
  repository: z.string(),
  branch: z.string(),
  phase: z
    .enum(PHASES)
    .nullable()
    .meta({ description: "that runs or is next; null: nothing is left to do" }),
  owner: z
    .object({
      workerId: z.int(),
      host: z.string(),
      seenAt: z.iso.datetime().meta({ description: "when that worker was last heard of" }),
      leaseUntil: z.iso.datetime(),
      isLive: z.boolean().meta({ description: "false: the lease has run out" }),
    })
    .optional()
    .meta({ description: "the worker that carries it, or has left it" }),
  waitsFor: z
    .enum(WAITS)
    .optional()
    .meta({ description: "what it rests for; left out while it is carried and when it is over" }),
  dueAt: z.iso
    .datetime()
    .optional()
    .meta({ description: "not claimed before; of questions: then the run fails" }),
  nextLookAt: z.iso
    .datetime()
    .optional()
    .meta({ description: "when the sweeper looks at the latest" }),
  timeline: z
    .array(
      z.object({
        phase: z.enum(PHASES),
        attempt: z.int().meta({ description: "0: never started" }),
        state: z.enum(ATTEMPT_STATES),
        startedAt: z.iso.datetime().nullable(),
        endedAt: z.iso.datetime().nullable(),
        durationMs: z.int().nullable(),
        failure: failureSchema.pick({ code: true, class: true, message: true }).optional(),
        followed: z.string().optional().meta({ description: "what followed from it, for people" }),
      }),
    )
    .readonly()
    .meta({ description: "every attempt, oldest first" }),
  budget: z
    .object({
      startsLeft: z.int().meta({ description: "starts of the phase, whatever ends them" }),
      retries: z
        .array(
          z.object({
            class: z.enum(FAILURE_CLASSES),
            granted: z.int(),
            left: z.int(),
          }),
        )
        .readonly(),
    })
    .optional()
    .meta({ description: "what is left for the phase that runs or is next" }),
  questions: z.array(questionSchema).readonly().meta({ description: "that wait for an answer" }),
  lastMessages: z
    .array(
      z.object({
        at: z.iso.datetime(),
        phase: z.enum(PHASES).nullable(),
        attempt: z.int().nullable(),
        text: z.string(),
      }),
    )
    .readonly()
    .meta({ description: "what the agent said last, oldest first" }),
  artifacts: z
    .array(z.object({ name: z.string(), bytes: z.int() }))
    .readonly()
    .meta({ description: "files kept as evidence, by name" }),
  failure: failureSchema.optional().meta({ description: "why the run has failed" }),
  advice: z
    .array(
      z.object({
        text: z.string(),
        command: z.string().optional().meta({ description: "to be typed in a terminal" }),
      }),
    )
    .readonly()
    .meta({ description: "what to do, if there is anything" }),
});
export type Explanation = z.infer<typeof explanationSchema>;

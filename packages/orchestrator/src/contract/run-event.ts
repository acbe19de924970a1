import { z } from "zod";

/** Events of a run, in the order they can come. Each is a row of the event table, sent once confirmed. */
export const EVENT_TYPES = {
  "run.accepted": "The request is stored.",
  "run.started": "A worker has claimed the run for the first time.",
  "run.claimed": "A worker has claimed the run again.",
  "run.cancel_requested": "Somebody asked to cancel the run.",
  "run.waiting": "The run waits before its next try.",
  "run.cooling": "The run rests until a limit of its model provider ends.",
  "run.needs_input":
    "The run has asked, or has a result to approve, and rests until people say so or the time is over.",
  "run.answered": "The questions are answered; the phase that asked starts again.",
  "run.approved": "The phase's result is approved; the run goes on with it.",
  "run.declined": "The phase's result is rejected; the phase starts again with the comment.",
  "run.input_expired": "Nobody has answered, approved or rejected in time.",
  "run.resumed": "Somebody asked to look at the run now.",
  "run.handed_over": "The worker gave the run back in good order.",
  "run.succeeded": "The branch is pushed (or would be: dry run).",
  "run.no_changes": "Every phase succeeded and the tree is as before; nothing is pushed.",
  "run.failed": "The run has failed; the failure says why and what to do.",
  "run.cancelled": "The run was cancelled.",
  "phase.started": "An attempt of a phase has started.",
  "phase.proposed": "The phase fulfilled its postconditions, and its result waits for approval.",
  "phase.succeeded": "The phase fulfilled its postconditions.",
  "phase.failed": "The attempt failed; the failure's class says what follows.",
  "phase.interrupted": "The worker went away; the attempt spends no budget.",
  "phase.skipped": "The phase never started: not asked for, or cut off by a failure.",
  "phase.cancelled": "The phase was ended, or never started, because of a cancel.",
  "phase.agent": "The agent is about to be called: what it is and how.",
  "phase.message": "The agent said something.",
  "phase.reasoning": "The agent told a summary of what it thinks.",
  "phase.tool": "The agent used a tool.",
  "phase.file": "The agent changed a file.",
  "phase.usage": "The agent reported token use.",
  "phase.egress":
    "What the attempt reached besides its model, and what it was refused, where there was anything.",
  "phase.warning": "Something that needs no action but should be known.",
} as const;

export type RunEventType = keyof typeof EVENT_TYPES;
export const runEventTypes = Object.keys(EVENT_TYPES) as [RunEventType, ...RunEventType[]];

/** The event of a request that was not taken. It belongs to no run and has no row. */
export const REJECTED_EVENT = "run.rejected";

/** What every event says besides its own data, in CloudEvents 1.0 JSON. */
export const cloudEventSchema = z.object({
  specversion: z.literal("1.0"),
  id: z.string().meta({ description: "<runId>/<seq>; a repeated id is the same event" }),
  source: z.string().meta({ description: "/speckit/<deployment id>" }),
  type: z.string().meta({ description: "speckit.<event>" }),
  subject: z.string().meta({ description: "the run's id" }),
  time: z.iso.datetime().meta({ description: "when it happened" }),
  datacontenttype: z.literal("application/json"),
  data: z
    .record(z.string(), z.unknown())
    .meta({ description: "what the type promises: docs/asyncapi.yaml" }),
});
export type CloudEvent = z.infer<typeof cloudEventSchema>;

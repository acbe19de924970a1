import { z } from "zod";
import { AGENT_PHASES } from "../domain/phase.ts";
import { failureSchema } from "./run-result.ts";
import { storableText } from "./storable-text.ts";

const common = {
  schemaVersion: z.literal(1),
  commandId: z.uuid().meta({ description: "Yours: the same command sent twice is one." }),
  runId: z.uuid(),
};

/** Longest answer or comment, in characters: it goes into the agent's prompt. */
const TEXT_MAX_LENGTH = 4_000;

function textOf(what: string) {
  return storableText
    .max(TEXT_MAX_LENGTH)
    .refine((text) => text.trim().length > 0, { error: `expected ${what}` });
}

/** Which result a decision is about. */
const proposed = {
  phase: z
    .enum(AGENT_PHASES)
    .optional()
    .meta({ description: "Whose result is meant. Default: the one that waits." }),
  attempt: z
    .int()
    .min(1)
    .optional()
    .meta({ description: "Which attempt's. Default: the one that waits." }),
};

/**
 * A command to a run, version 1: the body of a message with the key `run.command` on the exchange
 * `speckit.requests`. Unknown fields are refused by name.
 */
export const runCommandSchema = z.discriminatedUnion("command", [
  z
    .strictObject({ ...common, command: z.literal("cancel") })
    .meta({ description: "End the run; wins over every outcome that is not there yet." }),
  z
    .strictObject({
      ...common,
      command: z.literal("answer"),
      round: z
        .int()
        .min(1)
        .optional()
        .meta({ description: "Which round of questions is answered. Default: the open one." }),
      answers: z.array(textOf("an answer, or null").nullable()).min(1).max(20).meta({
        description:
          "One for each question, in their order: a text, or the key of an option of the question. null: the agent decides. Fewer than there are questions: null for the rest.",
      }),
    })
    .meta({ description: "Answer the open questions; the phase that asked starts again." }),
  z
    .strictObject({ ...common, command: z.literal("approve"), ...proposed })
    .meta({ description: "Take the phase's result that waits for approval; the run goes on." }),
  z
    .strictObject({
      ...common,
      command: z.literal("reject"),
      ...proposed,
      comment: textOf("what is to be done otherwise").meta({
        description: "What is to be done otherwise: it goes into the prompt of the next attempt.",
      }),
    })
    .meta({
      description: "Reject the phase's result that waits for approval; the phase starts again.",
    }),
  z
    .strictObject({ ...common, command: z.literal("resume") })
    .meta({ description: "Look at a run that rests now, instead of when its wait is over." }),
  z.strictObject({ ...common, command: z.literal("retry") }).meta({
    description:
      "Go on from the last good phase of a run that failed or was cancelled, as a new run on the same branch, whose id is the commandId.",
  }),
  z.strictObject({ ...common, command: z.literal("publish") }).meta({
    description:
      "Push what a run has made and open its pull request, where that was not done: of a dry run, or of one that ended after its last agent phase. A new run, whose id is the commandId.",
  }),
]);

export type RunCommand = z.infer<typeof runCommandSchema>;
export type CommandName = RunCommand["command"];

/** What became of a command: the reply to it. */
export const commandResultSchema = z.object({
  commandId: z.string().nullable().meta({ description: "as the command named it" }),
  runId: z.string().nullable().meta({ description: "as the command named it" }),
  status: z.enum(["accepted", "refused"]),
  newRunId: z.uuid().optional().meta({ description: "retry and publish: the run that goes on" }),
  failure: failureSchema.optional().meta({ description: "why it was refused" }),
});
export type CommandResult = z.infer<typeof commandResultSchema>;

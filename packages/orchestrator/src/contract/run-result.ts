import { z } from "zod";
import { FAILURE_CLASSES } from "../domain/failure.ts";
import { AGENT_PHASES, PHASES } from "../domain/phase.ts";
import { ATTEMPT_STATES, OUTCOMES, RUN_STATUSES } from "../domain/run-state.ts";

export const findingSchema = z.object({
  check: z.string().meta({ description: "stable name of the postcondition" }),
  path: z.string().meta({ description: "path in the repository" }),
  expected: z.string(),
  found: z.string(),
});

export const failureSchema = z.object({
  code: z.string().meta({ description: "one of docs/errors.md; match on this" }),
  class: z.enum(FAILURE_CLASSES),
  message: z.string().meta({ description: "one line for people" }),
  remedy: z.string().meta({ description: "what to do about it" }),
  findings: z.array(findingSchema).readonly().optional(),
  resetsAt: z.iso
    .datetime()
    .optional()
    .meta({ description: "when the rate limit or quota behind it ends, where that is known" }),
});

export const usageSchema = z.object({
  inputTokens: z.int(),
  cachedInputTokens: z.int(),
  outputTokens: z.int(),
  costUsd: z.number().nullable().meta({ description: "null: not known" }),
});

export const diffSchema = z.object({
  files: z.int(),
  insertions: z.int(),
  deletions: z.int(),
});

export const pullRequestSchema = z.object({
  how: z.enum(["created", "updated", "left", "described"]).meta({
    description:
      "left: people have closed or merged it, nothing was changed; described: not opened, `notes` say why, and its title and body are the artifact pull-request.md",
  }),
  title: z.string(),
  base: z.string().nullable().meta({ description: "null: the repository's default branch" }),
  number: z.int().nullable().meta({ description: "null: not opened" }),
  url: z.string().nullable(),
  state: z.enum(["open", "closed", "merged"]).nullable(),
  draft: z.boolean(),
  labels: z.array(z.string()).readonly(),
  notes: z
    .array(z.string())
    .readonly()
    .meta({ description: "what is otherwise than was wanted, for people" }),
});

export const questionSchema = z.object({
  id: z.string().meta({ description: "Q1, Q2, … in the order of the round" }),
  text: z.string().meta({ description: "one line" }),
  context: z.string().optional().meta({ description: "what it is about" }),
  options: z
    .array(
      z.object({
        key: z.string().meta({ description: "an answer of this key stands for the text" }),
        text: z.string(),
        implications: z.string().optional().meta({ description: "what choosing it means" }),
      }),
    )
    .readonly()
    .optional()
    .meta({ description: "answers the agent suggests; any other text is fine too" }),
});

const instructionsSchema = z.object({
  kind: z.enum(["skill", "prompt"]),
  name: z.string(),
  path: z.string(),
});

export const specKitSchema = z.object({
  directory: z.string().meta({ description: "folder of `.specify`; empty: the repository's root" }),
  version: z.string().nullable().meta({ description: "of Spec Kit; null: not said" }),
  script: z.enum(["sh", "ps", "py"]).nullable(),
  featureNumbering: z.enum(["sequential", "timestamp"]).nullable(),
  agent: z.string().nullable().meta({ description: "the agent it was set up for" }),
  instructions: z
    .partialRecord(z.enum(AGENT_PHASES), instructionsSchema)
    .meta({ description: "by phase: the file and how an agent gets it" }),
  extensions: z.array(z.string()).readonly(),
  hooks: z.enum(["none", "off", "on"]).meta({ description: "of extensions, for the agent" }),
  usesFeatureJson: z.boolean(),
  isNew: z.boolean().meta({ description: "made by this run: SPECKIT_SPECIFY_INIT" }),
});

export const summarySchema = z.object({
  title: z.string().nullable(),
  stories: z
    .array(
      z.object({
        id: z.string().meta({ description: "US1" }),
        title: z.string(),
        priority: z.string().nullable().meta({ description: "P1" }),
      }),
    )
    .readonly(),
  functionalRequirements: z.int(),
  successCriteria: z.int(),
  openQuestions: z.int(),
  assumptions: z.array(z.string()).readonly(),
  approach: z.string().nullable().meta({ description: "what plan.md says first" }),
  tasks: z
    .object({
      total: z.int(),
      parallel: z.int().meta({ description: "marked [P]" }),
      perStory: z.record(z.string(), z.int()),
    })
    .nullable(),
});

/**
 * The result envelope: what a reply carries, `speckit run --json` prints and the artifact
 * `result.json` holds. The same shape while the run is on its way.
 */
export const runResultSchema = z.object({
  runId: z.uuid(),
  status: z.enum(RUN_STATUSES).meta({
    description: `the last four are ends: ${OUTCOMES.join(", ")}`,
  }),
  repository: z.string().meta({ description: "owner/name for GitHub, else the address" }),
  branch: z.string().meta({ description: "the run's branch, also when it is not pushed" }),
  pushed: z.boolean().meta({ description: "false for a dry run, no changes, or a failure" }),
  baseSha: z.string().nullable().meta({ description: "the commit the run began from" }),
  headSha: z.string().nullable().meta({ description: "the commit of the last good phase" }),
  featureDirectory: z
    .string()
    .nullable()
    .meta({ description: "holds spec.md, plan.md and tasks.md; from the repository's root" }),
  agent: z.string().meta({ description: "name of the backend" }),
  specKit: specKitSchema.optional().meta({ description: "the project, once prepare has found it" }),
  summary: summarySchema
    .optional()
    .meta({ description: "what spec.md, plan.md and tasks.md say so far" }),
  phases: z
    .array(
      z.object({
        name: z.enum(PHASES),
        status: z.enum(["pending", ...ATTEMPT_STATES]),
        attempt: z.int().meta({ description: "ordinal of its newest start, 0: never started" }),
        durationMs: z.int().nullable(),
        findings: z.array(findingSchema).readonly(),
        failure: failureSchema.optional(),
      }),
    )
    .meta({ description: "in order, the newest attempt of each" }),
  openQuestions: z
    .array(questionSchema)
    .readonly()
    .meta({ description: "what specify left to be clarified" }),
  assumptions: z.array(z.string()).readonly().meta({
    description:
      "what nobody has said: the specification's assumptions, and each question it stands without an answer to",
  }),
  questionRound: z
    .int()
    .optional()
    .meta({ description: "needs_input: the round of questions to answer" }),
  approval: z
    .object({
      phase: z.enum(AGENT_PHASES),
      attempt: z.int(),
      file: z.string().meta({ description: "path of the document to look at" }),
      artifact: z.string().meta({ description: "name of the kept document" }),
    })
    .optional()
    .meta({ description: "needs_input: the result to approve or reject" }),
  answerBy: z.iso.datetime().optional().meta({ description: "needs_input: then the run fails" }),
  retryOf: z.uuid().optional().meta({ description: "the run it goes on from" }),
  usage: usageSchema.meta({ description: "every attempt's, also the failed ones'" }),
  diff: diffSchema.meta({ description: "base to head" }),
  pullRequest: pullRequestSchema
    .optional()
    .meta({ description: "once the run has come to it, unless nothing was changed" }),
  artifacts: z
    .array(
      z.object({
        name: z.string(),
        bytes: z.int(),
        sha256: z.string(),
        truncated: z
          .literal(true)
          .optional()
          .meta({ description: "more came than is kept of one artifact" }),
      }),
    )
    .meta({ description: "files kept as evidence; none once they are deleted" }),
  artifactsExpireAt: z.iso
    .datetime()
    .optional()
    .meta({ description: "Artifacts are kept at least until then; known when the run has ended." }),
  artifactsDeletedAt: z.iso
    .datetime()
    .optional()
    .meta({ description: "The time of its artifacts was over, and they were deleted." }),
  kept: z
    .object({ since: z.iso.datetime(), reason: z.string().nullable() })
    .optional()
    .meta({ description: "somebody keeps the run: nothing of it is deleted meanwhile" }),
  waitingFor: z.string().optional().meta({
    description:
      "why it rests now: worker, retry, pull_request (its host), credential, fence, input (answers) or approval",
  }),
  nextLookAt: z.iso.datetime().optional().meta({ description: "when it is looked at again" }),
  failure: failureSchema.optional().meta({ description: "why the run has failed" }),
  externalRef: z.string().optional().meta({ description: "the request's own" }),
  metadata: z.record(z.string(), z.unknown()).optional().meta({ description: "the request's own" }),
});

export type RunResult = z.infer<typeof runResultSchema>;
export type Usage = z.infer<typeof usageSchema>;

/** The reply to a request that was not taken: there is no run. */
export const runRejectedSchema = z.object({
  status: z.literal("rejected"),
  runId: z
    .string()
    .nullable()
    .meta({ description: "as the request named it, if it could be read" }),
  failure: failureSchema,
});
export type RunRejected = z.infer<typeof runRejectedSchema>;

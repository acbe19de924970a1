import { z } from "zod";
import { AGENT_PHASES, PHASES } from "../domain/phase.ts";
import { agentReportSchema } from "./agent-report.ts";
import { cloudEventSchema, REJECTED_EVENT, type RunEventType } from "./run-event.ts";
import {
  diffSchema,
  failureSchema,
  pullRequestSchema,
  questionSchema,
  runRejectedSchema,
  specKitSchema,
  usageSchema,
} from "./run-result.ts";

/** What every event of a run says. Fields may be added: readers leave alone what they do not know. */
const ofRun = z.looseObject({
  runId: z.uuid(),
  seq: z.int().min(1).meta({ description: "1, 2, 3 … without a gap, per run" }),
});
const ofPhase = ofRun.extend({
  phase: z.enum(PHASES),
  attempt: z.int().min(0).meta({ description: "Ordinal of the start; 0: the phase never started" }),
});
const ofAgent = ofPhase.extend({ phase: z.enum(AGENT_PHASES) });

const claimed = ofRun.extend({
  epoch: z.int().min(1).meta({ description: "Grows with every claim" }),
  workerId: z.int().meta({ description: "New for every worker process" }),
});
const ended = ofRun.extend({
  repository: z.string(),
  branch: z.string(),
  baseSha: z.string().nullable(),
  headSha: z.string().nullable(),
  featureDirectory: z.string().nullable(),
  pushed: z.boolean(),
  diff: diffSchema.optional().meta({ description: "Where publish came to measure it" }),
  pullRequest: pullRequestSchema.optional().meta({ description: "Where it came to one" }),
});
/** What a phase has to tell of itself. */
const foundOut = {
  baseBranch: z.string().optional().meta({ description: "prepare" }),
  baseSha: z.string().optional().meta({ description: "prepare" }),
  featureDirectory: z.string().optional().meta({ description: "prepare" }),
  specKit: specKitSchema.optional().meta({ description: "prepare" }),
  file: z.string().optional().meta({ description: "agent phases: path of the document" }),
  artifact: z.string().optional().meta({ description: "agent phases: name of the kept document" }),
  files: z.int().optional().meta({ description: "agent phases: how many files were changed" }),
  checksPassed: z.int().optional().meta({ description: "agent phases: postconditions that hold" }),
  commit: z.string().optional().meta({ description: "agent phases: the commit made of the tree" }),
  branch: z.string().optional().meta({ description: "publish" }),
  headSha: z.string().optional().meta({ description: "publish" }),
  pushed: z.boolean().optional().meta({ description: "publish" }),
  diff: diffSchema.optional().meta({ description: "publish: base to head" }),
  pullRequest: pullRequestSchema.optional().meta({ description: "pull_request" }),
  trouble: z.string().optional().meta({ description: "cleanup: what could not be removed" }),
};
const done = ofPhase.extend({
  changed: z.boolean().optional().meta({ description: "The phase changed the tree" }),
  ...foundOut,
});
const decided = { commandId: z.string(), phase: z.enum(AGENT_PHASES), attempt: z.int().min(1) };
const withFailure = { failure: failureSchema };
const text = z.string().max(16_000).meta({ description: "Cut at 16,000 characters" });

/** The `data` of each event, by routing key. `docs/asyncapi.yaml` is generated from this table. */
export const EVENT_DATA = {
  "run.accepted": ofRun.extend({
    repository: z.string(),
    branch: z.string(),
    agent: z.string().meta({ description: "Name of the backend" }),
    pipeline: z.array(z.enum(PHASES)).meta({ description: "Phases in order, without cleanup" }),
    retryOf: z.uuid().optional().meta({ description: "The run this one goes on from" }),
    phaseIx: z.int().optional().meta({ description: "Its first phase in the pipeline, from 0" }),
    changed: z
      .boolean()
      .optional()
      .meta({ description: "The phases before have changed the tree" }),
  }),
  "run.started": claimed,
  "run.claimed": claimed,
  "run.cancel_requested": ofRun.extend({ commandId: z.string() }),
  "run.waiting": ofRun.extend({
    phase: z.enum(PHASES),
    tierMs: z.int().meta({ description: "Longest time until the next try, in milliseconds" }),
  }),
  "run.cooling": ofRun.extend({
    phase: z.enum(PHASES),
    coolDownMs: z.int().meta({ description: "Until it is looked at again, in milliseconds" }),
    credential: z.string().optional().meta({ description: "Whose limit it is" }),
  }),
  "run.needs_input": ofRun.extend({
    kind: z.enum(["questions", "approval"]),
    phase: z.enum(PHASES),
    round: z.int().min(1).optional().meta({ description: "questions: 1, 2, … per run" }),
    questions: z
      .array(questionSchema)
      .meta({ description: "approval: what the specification leaves open" }),
    attempt: z.int().optional().meta({ description: "approval: whose result it is" }),
    file: z.string().optional().meta({ description: "approval: path of the document to look at" }),
    artifact: z.string().optional().meta({ description: "approval: name of the kept document" }),
    answerWithinMs: z.int().meta({ description: "Then the run fails, in milliseconds" }),
  }),
  "run.answered": ofRun.extend({ commandId: z.string(), round: z.int().min(1) }),
  "run.approved": ofRun.extend(decided),
  "run.declined": ofRun.extend({ ...decided, comment: z.string() }),
  "run.input_expired": ofRun.extend({
    kind: z.enum(["questions", "approval"]),
    round: z.int().min(1).optional().meta({ description: "questions" }),
  }),
  "run.resumed": ofRun.extend({ commandId: z.string() }),
  "run.handed_over": ofRun,
  "run.succeeded": ended,
  "run.no_changes": ended,
  "run.failed": ended.extend(withFailure),
  "run.cancelled": ended,
  "phase.started": ofPhase,
  "phase.proposed": done,
  "phase.succeeded": done,
  "phase.failed": ofPhase.extend(withFailure),
  "phase.interrupted": ofPhase.extend(withFailure),
  "phase.skipped": ofPhase,
  "phase.cancelled": ofPhase,
  "phase.agent": ofAgent.extend(agentReportSchema.shape),
  "phase.message": ofAgent.extend({ text }),
  "phase.reasoning": ofAgent.extend({ text }),
  "phase.tool": ofAgent.extend({ name: text, detail: text, exitCode: z.int().optional() }),
  "phase.file": ofAgent.extend({ path: text, change: text }),
  "phase.usage": ofAgent.extend(usageSchema.shape),
  "phase.egress": ofAgent.extend({
    artifact: z.string().meta({ description: "Name of the kept list, by target and outcome" }),
    passed: z.int().min(0).meta({ description: "Tunnels that were opened" }),
    denied: z
      .int()
      .min(0)
      .meta({ description: "Requests that were refused, or cut for their first bytes" }),
    bytesUp: z.int().min(0).meta({ description: "From the agent" }),
    bytesDown: z.int().min(0).meta({ description: "To the agent" }),
    denials: z
      .array(z.object({ host: z.string(), port: z.int(), reason: z.string(), requests: z.int() }))
      .meta({ description: "The first 20 by name; port 0: none that could be read" }),
  }),
  "phase.warning": ofPhase.extend({ text }),
  [REJECTED_EVENT]: runRejectedSchema,
} as const satisfies Record<RunEventType | typeof REJECTED_EVENT, z.ZodObject>;

/** An event with the data its type promises. */
export function eventSchemaOf<Type extends keyof typeof EVENT_DATA>(type: Type) {
  return cloudEventSchema.extend({
    type: z.literal(`speckit.${type}`),
    data: EVENT_DATA[type],
  });
}

export { EVENT_DATA, eventSchemaOf } from "./event-data.ts";
export { type Explanation, explanationSchema } from "./explanation.ts";
export { REQUEST_MAX_BYTES } from "./limits.ts";
export { DURATION_FORM, parseDuration } from "./parse-duration.ts";
export { parseRunCommand, parseRunCommandBytes } from "./parse-run-command.ts";
export { parseRunRequest, parseRunRequestBytes } from "./parse-run-request.ts";
export {
  type CommandName,
  type CommandResult,
  commandResultSchema,
  type RunCommand,
  runCommandSchema,
} from "./run-command.ts";
export {
  type CloudEvent,
  cloudEventSchema,
  EVENT_TYPES,
  REJECTED_EVENT,
  type RunEventType,
} from "./run-event.ts";
export {
  artifactListSchema,
  eventPageSchema,
  type RunSummary,
  runPageSchema,
  runSummarySchema,
} from "./run-pages.ts";
export { type RunRequest, runRequestSchema } from "./run-request.ts";
export {
  diffSchema,
  failureSchema,
  findingSchema,
  questionSchema,
  type RunRejected,
  type RunResult,
  runRejectedSchema,
  runResultSchema,
  type Usage,
  usageSchema,
} from "./run-result.ts";
export { type RunStatistics, SLO_PERCENT, statisticsSchema } from "./statistics.ts";
export { type WakeUp, wakeUp, wakeUpSchema } from "./wake-up.ts";

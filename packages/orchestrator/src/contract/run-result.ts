import { z } from "zod";
import { FAILURE_CLASSES } from "../domain/failure.ts";
import { PHASES } from "../domain/phase.ts";
import { ATTEMPT_STATES, RUN_STATUSES } from "../domain/run-state.ts";

const finding = z.object({
  check: z.string(),
  path: z.string(),
  expected: z.string(),
  found: z.string(),
});

export const failureSchema = z.object({
  code: z.string(),
  class: z.enum(FAILURE_CLASSES),
  message: z.string(),
  remedy: z.string(),
  findings: z.array(finding).readonly().optional(),
});

const usage = z.object({
  inputTokens: z.int(),
  cachedInputTokens: z.int(),
  outputTokens: z.int(),
  costUsd: z.number().nullable().meta({ description: "null: not known" }),
});

/**
 * The result envelope: what a reply carries, `speckit run --json` prints and the artifact
 * `result.json` holds. The same shape while the run is on its way.
 */
export const runResultSchema = z.object({
  runId: z.uuid(),
  status: z.enum(RUN_STATUSES),
  repository: z.string(),
  branch: z.string(),
  pushed: z.boolean().meta({ description: "false for a dry run, no changes, or a failure" }),
  baseSha: z.string().nullable(),
  headSha: z.string().nullable(),
  featureDirectory: z.string().nullable(),
  agent: z.string(),
  phases: z.array(
    z.object({
      name: z.enum(PHASES),
      status: z.enum(["pending", ...ATTEMPT_STATES]),
      attempt: z.int(),
      durationMs: z.int().nullable(),
      findings: z.array(finding).readonly(),
      failure: failureSchema.optional(),
    }),
  ),
  openQuestions: z.array(z.string()),
  usage,
  diff: z.object({ files: z.int(), insertions: z.int(), deletions: z.int() }),
  artifacts: z.array(z.object({ name: z.string(), bytes: z.int(), sha256: z.string() })),
  artifactsExpireAt: z.iso
    .datetime()
    .optional()
    .meta({ description: "Artifacts are kept at least until then; known when the run has ended." }),
  waitingFor: z.string().optional(),
  nextLookAt: z.iso.datetime().optional(),
  failure: failureSchema.optional(),
  externalRef: z.string().optional(),
  metadata: z.record(z.string(), z.unknown()).optional(),
});

export type RunResult = z.infer<typeof runResultSchema>;
export type Usage = z.infer<typeof usage>;

/** The reply to a request that was not taken: there is no run. */
export const runRejectedSchema = z.object({
  status: z.literal("rejected"),
  runId: z.string().nullable(),
  failure: failureSchema,
});
export type RunRejected = z.infer<typeof runRejectedSchema>;

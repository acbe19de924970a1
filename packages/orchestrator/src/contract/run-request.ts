import { z } from "zod";
import { isBranchName } from "../domain/branch-name.ts";
import { isFeatureDirectory } from "../domain/feature-directory.ts";
import { AGENT_PHASES } from "../domain/phase.ts";
import { parseRepository } from "../domain/repository-address.ts";
import { isProjectDirectory } from "../domain/spec-kit/project-path.ts";
import { storableText } from "./storable-text.ts";

const branchName = z.string().refine(isBranchName, {
  error:
    "expected a branch name that git check-ref-format accepts, of visible letters and digits of one alphabet a word and ._-/@+#=, with no part starting with '-'",
});

const metadata = z
  .record(
    storableText.min(1).max(100),
    z.union([storableText.max(2_000), z.number(), z.boolean()], {
      error: "expected text of at most 2000 characters, a number, true or false",
    }),
    {
      error: (issue) =>
        issue.code === "invalid_key"
          ? "expected a name of 1 to 100 characters without NUL and lone surrogates"
          : undefined,
    },
  )
  .refine((record) => Object.keys(record).length <= 50, { error: "expected at most 50 entries" });

const login = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9_.-]{0,99}$/, {
  error: "expected a login: letters, digits and '-'",
});
const reviewer = z
  .string()
  .regex(/^(?:[A-Za-z0-9][A-Za-z0-9_.-]{0,99}\/)?[A-Za-z0-9][A-Za-z0-9_.-]{0,99}$/, {
    error: "expected a login, or a team as org/team",
  });

const fields = z.strictObject({
  schemaVersion: z.literal(1),
  runId: z.uuid().optional().meta({ description: "Made by speckit (UUID v7) when left out." }),
  idempotencyKey: storableText.min(1).max(200).optional().meta({
    description:
      "The same key with the same body is the same run; with another body it is refused.",
  }),
  repository: storableText
    .superRefine((text, context) => {
      const address = parseRepository(text);
      if ("problem" in address) {
        context.addIssue({ code: "custom", message: address.problem });
      }
    })
    .meta({ description: "owner/name (GitHub), an https or ssh URL; paths only where allowed." }),
  specifyText: storableText
    .refine((text) => text.trim().length > 0, {
      error: "expected a sentence, got only white space",
    })
    .meta({ description: "What to build, in plain words: the argument of speckit.specify." }),
  baseBranch: branchName.optional().meta({ description: "Default: the remote's default branch." }),
  branch: branchName.optional().meta({ description: "Default: `speckit/<slug>-<8 hex>`." }),
  featureDirectory: z
    .string()
    .refine(isFeatureDirectory, { error: "expected specs/NNN-short-name" })
    .optional()
    .meta({
      description:
        "Relative to the Spec Kit project. Default: `specs/<next number>-<slug>`, allotted once per run.",
    }),
  projectDirectory: z
    .string()
    .refine(isProjectDirectory, {
      error: "expected a folder below the repository's root, such as packages/api",
    })
    .optional()
    .meta({
      description:
        "Folder of the Spec Kit project (of `.specify`). Default: the root, else the only one there is.",
    }),
  agent: z
    .strictObject({
      backend: z
        .string()
        .regex(/^[a-z][a-z0-9-]{0,40}$/, {
          error: "expected a name of lower-case letters, digits and '-'",
        })
        .optional()
        .meta({ description: "Default: the deployment's default backend." }),
      model: storableText
        .min(1)
        .max(100)
        .optional()
        .meta({ description: "As the backend names it; a deployment may allow only some." }),
      options: z
        .record(
          z.string().min(1).max(50),
          z.union([storableText.max(200), z.number(), z.boolean()], {
            error: "expected text of at most 200 characters, a number, true or false",
          }),
        )
        .refine((record) => Object.keys(record).length <= 20, {
          error: "expected at most 20 options",
        })
        .optional()
        .meta({
          description:
            "The backend's own, for example `reasoningEffort`; a deployment may allow only some.",
        }),
    })
    .optional(),
  phases: z
    .array(z.enum(AGENT_PHASES))
    .min(1)
    .max(AGENT_PHASES.length)
    .optional()
    .meta({ description: "Agent phases to carry out. Default: all." }),
  draft: z.boolean().optional().meta({
    description: "The pull request is a draft. Default: the deployment's, which is true.",
  }),
  labels: z
    .array(
      storableText.max(50).refine((text) => text.trim().length > 0 && !text.includes(","), {
        error: "expected a label of 1 to 50 characters without a comma",
      }),
    )
    .max(20)
    .optional()
    .meta({ description: "Of the pull request, besides the deployment's; made where missing." }),
  reviewers: z.array(reviewer).max(15).optional().meta({
    description: "Who is asked to review the pull request: logins, and teams as `org/team`.",
  }),
  assignees: z
    .array(login)
    .max(10)
    .optional()
    .meta({ description: "Logins that the pull request is assigned to." }),
  dryRun: z
    .boolean()
    .optional()
    .meta({ description: "Do everything but push and open; the artifacts show both." }),
  onQuestions: z.enum(["assume", "pause"]).optional().meta({
    description:
      "Open questions of the specification: `assume` (default) records them and goes on with the agent's assumptions, `pause` waits for answers.",
  }),
  pauseAfter: z.array(z.enum(AGENT_PHASES)).min(1).max(AGENT_PHASES.length).optional().meta({
    description:
      "Agent phases whose result a person approves or rejects before the run goes on. Default: none.",
  }),
  limits: z
    .strictObject({
      deadlineMs: z
        .int()
        .min(1_000)
        .max(86_400_000)
        .optional()
        .meta({ description: "Working time of the whole run, in milliseconds." }),
      maxTokens: z.int().min(1).optional().meta({
        description: "Tokens of all model calls, in and out, over all phases and attempts.",
      }),
      maxUsd: z
        .number()
        .positive()
        .max(1_000_000)
        .optional()
        .meta({ description: "Cost of all model calls; needs a price for the model." }),
    })
    .optional(),
  externalRef: storableText
    .min(1)
    .max(500)
    .optional()
    .meta({ description: "Your own reference, given back with the result." }),
  metadata: metadata
    .optional()
    .meta({ description: "Your own names and values, given back with the result; at most 50." }),
});

/**
 * A run request, version 1: the body of a message with the key `run.request` on the exchange
 * `speckit.requests`. Unknown fields are refused by name; `metadata` is the place for one's own.
 */
export const runRequestSchema = fields.superRefine(({ phases, pauseAfter = [] }, context) => {
  const unknown = pauseAfter.filter((phase) => phases?.includes(phase) === false);
  if (unknown.length > 0) {
    const message = `expected some of the request's phases, got ${unknown.join(", ")} besides`;
    context.addIssue({ code: "custom", path: ["pauseAfter"], message });
  }
});

export type RunRequest = z.infer<typeof runRequestSchema>;

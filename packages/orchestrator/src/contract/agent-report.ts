import { z } from "zod";

/** What was called and how: the data of the event `phase.agent`, and the core of `environment.json`. */
export const agentReportSchema = z.object({
  backend: z.string().meta({ description: "Name of the backend" }),
  description: z.string().meta({ description: "What stands behind the name" }),
  version: z.string().nullable().meta({ description: "As the agent tells it; null: not known" }),
  model: z.string().nullable().meta({ description: "null: the agent's own default" }),
  options: z
    .record(z.string(), z.union([z.string(), z.number(), z.boolean()]))
    .meta({ description: "The request's" }),
  instructions: z.string().meta({ description: "Path of Spec Kit's instructions for the phase" }),
  specKitVersion: z.string().nullable().meta({ description: "As the repository tells it" }),
  promptSha256: z.string().meta({ description: "Of the prompt as sent, in lower-case hex" }),
  isolation: z.string().meta({ description: "What the runtime promises on that machine" }),
  sandbox: z
    .string()
    .nullable()
    .meta({ description: "What holds the agent's own commands; null: nothing known" }),
  secrets: z
    .array(z.string())
    .optional()
    .meta({ description: "Names of the secrets in the agent's environment; left out: none" }),
});

export type AgentReport = z.infer<typeof agentReportSchema>;

import type { AgentPhase } from "../phase.ts";

/** The document that each phase is for, in the feature directory. */
export const MAIN_DOCUMENT: Readonly<Record<AgentPhase, string>> = {
  specify: "spec.md",
  plan: "plan.md",
  tasks: "tasks.md",
};

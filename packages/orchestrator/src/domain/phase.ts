/**
 * Phases of a run. A pipeline is data: an ordered list of names, stored with the run.
 * `cleanup` is in no pipeline: it follows the outcome of every run.
 */
export const AGENT_PHASES = ["specify", "plan", "tasks"] as const;
/** A phase carried out by a coding agent: a Spec Kit command. */
export type AgentPhase = (typeof AGENT_PHASES)[number];

export const PHASES = ["prepare", ...AGENT_PHASES, "publish", "pull_request", "cleanup"] as const;
export type Phase = (typeof PHASES)[number];

/** What brings a run's commits to people: the end of every pipeline, and a pipeline of its own. */
export const PUBLISHING_PHASES = ["publish", "pull_request"] as const;

/** A phase that can stand in a pipeline. */
export type PipelinePhase = Exclude<Phase, "cleanup">;

export function isAgentPhase(phase: Phase): phase is AgentPhase {
  return (AGENT_PHASES as readonly string[]).includes(phase);
}

/**
 * The pipeline that carries out the asked agent phases, in Spec Kit's order.
 *
 * @param agentPhases defaults to all of them; duplicates and order do not matter
 */
export function pipelineFor(
  agentPhases: readonly AgentPhase[] = AGENT_PHASES,
): readonly PipelinePhase[] {
  return [
    "prepare",
    ...AGENT_PHASES.filter((phase) => agentPhases.includes(phase)),
    ...PUBLISHING_PHASES,
  ];
}

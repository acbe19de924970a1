import type { AgentPhase } from "./phase.ts";

/** Where Spec Kit 0.4 and later keeps the instructions of a phase for skill-reading agents. */
export function skillPath(phase: AgentPhase): string {
  return `.agents/skills/${skillName(phase)}/SKILL.md`;
}

export function skillName(phase: AgentPhase): string {
  return `speckit-${phase}`;
}

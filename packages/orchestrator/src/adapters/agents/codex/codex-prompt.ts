import type { AgentPrompt } from "../../../ports/agent-backend.ts";
import { runSections } from "../render-prompt.ts";

/**
 * The prompt for Codex. A skill is called by its name, `$speckit-specify`: Codex adds the skill's
 * text itself, once, whatever else the prompt says. Where the repository has only prompt files, which
 * `codex exec` does not expand, their text is sent.
 */
export function codexPrompt(prompt: AgentPrompt): string {
  const { skill } = prompt;
  return [`$${skill.name} ${prompt.arguments}`.trimEnd(), ...runSections(prompt)].join("\n\n");
}

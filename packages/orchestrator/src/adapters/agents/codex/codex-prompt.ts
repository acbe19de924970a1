import { escapeSkillNames } from "../../../domain/spec-kit/skill-names.ts";
import type { AgentPrompt } from "../../../ports/agent-backend.ts";
import { renderPrompt, runSections } from "../render-prompt.ts";

/** Skills that Codex 0.169.0 brings itself: a request may speak of them without meaning them. */
const OWN_SKILLS = ["imagegen", "openai-docs", "review-agent", "skill-creator", "skill-installer"];

/**
 * The prompt for Codex. A skill is called by its name, `$speckit-specify`: Codex adds the skill's
 * text itself. No other text may call one by accident: names are escaped in all that others wrote.
 * Where the repository has only prompt files, which `codex exec` does not expand, their text is sent.
 */
export function codexPrompt(prompt: AgentPrompt): string {
  const { instructions, skillNames } = prompt;
  const escaped = (text: string): string => escapeSkillNames(text, [...skillNames, ...OWN_SKILLS]);
  return instructions.kind === "prompt"
    ? escaped(renderPrompt(prompt))
    : [
        `$${instructions.name} ${escaped(prompt.arguments)}`.trimEnd(),
        ...runSections(prompt).map(escaped),
      ].join("\n\n");
}

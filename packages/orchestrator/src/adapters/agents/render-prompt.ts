import type { Finding } from "../../domain/failure.ts";
import type { AnsweredQuestion } from "../../domain/questions.ts";
import { fillArguments } from "../../domain/spec-kit/instructions-text.ts";
import type { AgentPrompt } from "../../ports/agent-backend.ts";

/** Opens our own part of the prompt; what stands below it is ours, what stands above is Spec Kit's. */
export const RUN_HEADING = "## This run, from speckit";

/**
 * The prompt for an agent that knows nothing of skills: Spec Kit's instructions as they stand in the
 * target repository, then what an unattended run adds to them.
 *
 * The request is told a second time in our part, quoted line by line: not every repository's skill
 * has a place for it.
 */
export function renderPrompt(prompt: AgentPrompt): string {
  const instructions = fillArguments(prompt.instructions.text, prompt.arguments);
  return `${[instructions, ...runSections(prompt)].join("\n\n")}\n`;
}

/** What an unattended run adds to Spec Kit's own instructions. */
export function runSections(prompt: AgentPrompt): readonly string[] {
  const sections = [`${RUN_HEADING}\n\n${rules(prompt)}`];
  if (prompt.arguments !== "") {
    sections.push(`### The request, word for word\n\n${quoted(prompt.arguments)}`);
  }
  if (prompt.answers.length > 0) {
    sections.push(
      "### What people have answered\n\nAn earlier attempt asked these questions. Write the answers into the " +
        `specification, and do not ask again:\n\n${prompt.answers.map(asAnswer).join("\n")}`,
    );
  }
  if (prompt.comments.length > 0) {
    sections.push(
      "### What people want otherwise\n\nPeople have read earlier results of this phase and have rejected them; " +
        `those files are gone. Do the whole phase again as they want it:\n\n${prompt.comments.map(quoted).join("\n\n")}`,
    );
  }
  if (prompt.findings.length > 0) {
    sections.push(
      "### What to repair\n\nAn earlier attempt at this phase was not taken, and its files are gone. " +
        `Do the whole phase, and avoid this:\n\n${prompt.findings.map(asItem).join("\n")}`,
    );
  }
  return sections;
}

function rules(prompt: AgentPrompt): string {
  const { phase, projectDirectory, featureDirectory, mayAsk, hooks } = prompt;
  const questions =
    phase === "specify"
      ? `${mayAsk ? "Your questions are put to people when you are done: do not wait for answers." : "Nobody can answer questions."} Make a reasonable assumption and write it down; what only a person can decide goes into \`spec.md\` as \`[NEEDS CLARIFICATION: the question]\`${mayAsk ? ", and, in the form that the text above has for questions, into your last message too, with the answers you suggest" : ""}.`
      : "Nobody can answer questions. Make a reasonable assumption and write it down in this phase's documents; leave `spec.md` as it is.";
  return [
    "You work unattended. Where these rules and the text above disagree, these rules decide.",
    "",
    ...(projectDirectory === ""
      ? []
      : [
          `- You are in \`${projectDirectory}\`, a project of its own in a larger repository. All paths here are relative to it.`,
        ]),
    `- The feature directory is \`${featureDirectory}\`, also in the environment variable ` +
      "`SPECIFY_FEATURE_DIRECTORY`. Use it whether or not it exists; do not number or name another one. " +
      "`.specify/feature.json` must name it as `feature_directory`. Where a script of Spec Kit would " +
      "make a directory (`create-new-feature`), make this one yourself instead, from the template.",
    `- Change nothing outside \`${featureDirectory}\` but \`.specify/feature.json\`.`,
    `- ${questions}`,
    hooks === "on"
      ? "- Do not push. The files you leave are the result: commits and branches stay behind."
      : "- Do not commit, push, or create or switch branches, also where a hook or script asks for it: " +
        "the files you leave are the result.",
    ...(hooks === "off"
      ? [
          "- Hooks of extensions (`.specify/extensions.yml`) are off in this run: carry none of them out.",
        ]
      : []),
    `- Carry out the phase \`${phase}\` alone, completely, then stop.`,
  ].join("\n");
}

function asItem({ check, path, expected, found }: Finding): string {
  return `- \`${path}\` (${check}): expected ${expected}; found ${found}`.replace(/\s*\n\s*/g, " ");
}

function asAnswer({ question, answer }: AnsweredQuestion): string {
  const said = answer ?? "(not answered: decide yourself, and write it down as an assumption)";
  return `- ${question.replace(/\s*\n\s*/g, " ")}\n${quoted(said).replace(/^/gm, "  ")}`;
}

function quoted(text: string): string {
  return text
    .split(/\r\n|\r|\n/)
    .map((line) => `> ${line}`.trimEnd())
    .join("\n");
}

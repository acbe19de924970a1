/**
 * Questions as Spec Kit's `specify` puts them to people: a section each, with the answers it
 * suggests. Nothing for no questions.
 *
 * @param {{ text: string, context?: string, answers?: string[] }[]} questions
 */
export function questionSections(questions) {
  return questions.map((question, ix) => `\n\n${section(question, ix + 1)}`).join("");
}

function section({ text, context = "the request does not say", answers = [] }, number) {
  const rows = answers.map((answer, ix) => `| ${letter(ix)} | ${answer} | decides "${text}" |`);
  return [
    `## Question ${number}: ${text}`,
    `**Context**: ${context}`,
    `**What we need to know**: ${text}`,
    "**Suggested Answers**:",
    [
      "| Option | Answer | Implications |",
      "|--------|--------|--------------|",
      ...rows,
      "| Custom | Say it in your own words | |",
    ].join("\n"),
    "**Your choice**: _one of these, or your own_",
  ].join("\n\n");
}

function letter(ix) {
  return String.fromCharCode("A".charCodeAt(0) + ix);
}

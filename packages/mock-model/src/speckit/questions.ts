interface Question {
  readonly topic: string;
  readonly text: string;
  readonly context: string;
  /** What may be answered, with what follows from it. */
  readonly options: readonly (readonly [answer: string, implications: string])[];
}

/** What the scenario `questions` asks, in the order of the specification. */
export const QUESTIONS: readonly [Question, Question] = [
  {
    topic: "Retention",
    text: "For how long are records kept?",
    context: "Old records take room, and some of them may be wanted again.",
    options: [
      ["30 days", "Little room is needed, and nothing older can be looked up"],
      ["One year", "A year can be compared with the one before"],
    ],
  },
  {
    topic: "Access",
    text: "Who may see what others have done?",
    context: "The request speaks of users, and does not tell them apart.",
    options: [
      ["Everybody who is signed in", "No roles are needed"],
      ["Administrators alone", "Somebody must say who is one"],
    ],
  },
];

/** The marker that leaves a question open in a document. */
export function marker({ text }: Question): string {
  return `[NEEDS CLARIFICATION: ${text}]`;
}

/** The agent's last words when it waits for answers: each question with a table of what may be answered. */
export function questionTables(): string {
  return QUESTIONS.map(
    ({ topic, text, context, options }, index) => `## Question ${index + 1}: ${topic}

**Context**: ${context}

**What we need to know**: ${text}

**Suggested Answers**:

| Option | Answer | Implications |
| ------ | ------ | ------------ |
${options.map(([answer, implications], at) => `| ${"ABCDE"[at]} | ${answer} | ${implications} |`).join("\n")}
| Custom | Say it in your own words | As you say |

**Your choice**: _waiting for an answer_`,
  ).join("\n\n");
}

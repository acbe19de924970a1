import type { Conversation } from "../protocol/conversation.ts";
import { Complaint } from "../scenario.ts";

export const PHASES = ["specify", "plan", "tasks"] as const;
export type Phase = (typeof PHASES)[number];

/** What the agent asks of the model, read out of its prompt. */
export interface Task {
  readonly phase: Phase;
  /** As the prompt names it; undefined: the environment of the tools does. */
  readonly directory: string | undefined;
  /** The sentence the feature is made from, in one line. Empty for all phases but `specify`. */
  readonly sentence: string;
  /** What people have answered to earlier questions; undefined: none were put, or nobody has answered. */
  readonly answers: readonly string[] | undefined;
  /** An earlier attempt was not taken, and the prompt says why. */
  readonly isRepair: boolean;
}

const SKILL = /^<skill>\s*<name>speckit-(specify|plan|tasks)<\/name>([\s\S]*)/;
const CALLED = /^\s*\$speckit-(specify|plan|tasks)\b/;
const OWN_PART = "## This run, from speckit";
const OWN_PHASE = /Carry out the phase `(specify|plan|tasks)` alone/;
/** A skill of fewer characters is no instruction. */
const MIN_INSTRUCTIONS = 80;

/**
 * Reads the task.
 *
 * @throws Complaint when Spec Kit's instructions for the phase have not arrived: neither as a skill
 * beside the prompt, nor as text before speckit's own part of it
 */
export function readTask({ prompt }: Conversation): Task {
  const whole = prompt.join("\n");
  const phase = skillPhase(prompt) ?? promptPhase(whole);
  return {
    phase,
    directory: /feature directory is `([^`\s]+)`/i.exec(whole)?.[1],
    sentence: phase === "specify" ? sentenceIn(prompt) : "",
    answers: answersIn(whole),
    isRepair: whole.includes("### What to repair"),
  };
}

/** A skill's text is a message of its own, put there by the agent for a `$name` in the prompt. */
function skillPhase(prompt: readonly string[]): Phase | undefined {
  for (const text of prompt) {
    const [, phase, rest = ""] = SKILL.exec(text.trimStart()) ?? [];
    if (phase !== undefined) {
      demandInstructions(rest.replace(/<path>[^<]*<\/path>/, ""), `the skill of ${phase}`);
      return phase as Phase;
    }
  }
  const called = prompt.map((text) => CALLED.exec(text)?.[1]).find((phase) => phase !== undefined);
  if (called !== undefined) {
    throw new Complaint(`$speckit-${called} is called, but its skill's text has not arrived`);
  }
  return undefined;
}

/** An agent that knows no skills is sent the instructions themselves. */
function promptPhase(whole: string): Phase {
  const phase = OWN_PHASE.exec(whole)?.[1];
  if (phase === undefined) {
    throw new Complaint("the prompt is of no phase: no skill and no rules of a run in it");
  }
  demandInstructions(whole.slice(0, whole.lastIndexOf(OWN_PART)), `the instructions of ${phase}`);
  return phase as Phase;
}

function demandInstructions(text: string, what: string): void {
  if (text.trim().length < MIN_INSTRUCTIONS) {
    throw new Complaint(
      `${what} arrived with ${text.trim().length} characters: too few to be true`,
    );
  }
}

function sentenceIn(prompt: readonly string[]): string {
  const quoted = sectionOf(prompt.join("\n"), "### The request, word for word");
  // Up to the first heading: what follows is ours.
  const [called] = prompt.flatMap((text) => /^\s*\$speckit-specify\b(.*)/s.exec(text)?.[1] ?? []);
  const text = quoted === undefined ? called?.split(/^#/m)[0] : quotesIn(quoted).join(" ");
  if (text === undefined || text.trim() === "") {
    throw new Complaint("the prompt of specify holds no sentence");
  }
  return text;
}

function answersIn(whole: string): readonly string[] | undefined {
  const section = sectionOf(whole, "### What people have answered");
  return section === undefined ? undefined : quotesIn(section);
}

/** What stands below the last such heading, up to the next one. */
function sectionOf(whole: string, heading: string): string | undefined {
  const start = whole.lastIndexOf(`\n${heading}\n`);
  return start === -1 ? undefined : whole.slice(start + heading.length + 2).split(/^#/m)[0];
}

/** Quoted passages, each in one line. */
function quotesIn(section: string): readonly string[] {
  return [...section.matchAll(/(?:^[ \t]*>.*\n?)+/gm)].map(([passage]) =>
    passage
      .replace(/^[ \t]*> ?/gm, "")
      .replace(/\s+/g, " ")
      .trim(),
  );
}

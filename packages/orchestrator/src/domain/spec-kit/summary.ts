import type { PhaseOutput } from "../verify/phase-output.ts";
import { allTasks, outsideFences } from "../verify/task-list.ts";

/** What a feature's documents say, for people and programs that do not read them. */
export interface FeatureSummary {
  /** null: `spec.md` has none. */
  readonly title: string | null;
  readonly stories: readonly StorySummary[];
  readonly functionalRequirements: number;
  readonly successCriteria: number;
  /** Open questions that `spec.md` marks. */
  readonly openQuestions: number;
  /** What the specification takes for granted, one text each. */
  readonly assumptions: readonly string[];
  /** What `plan.md` says first; null before there is one. */
  readonly approach: string | null;
  /** null before there is a `tasks.md`. */
  readonly tasks: TaskCounts | null;
}

export interface StorySummary {
  /** `US1` for `### User Story 1`. */
  readonly id: string;
  readonly title: string;
  /** `P1`, null when none is given. */
  readonly priority: string | null;
}

export interface TaskCounts {
  readonly total: number;
  /** Marked `[P]`: can be done beside others. */
  readonly parallel: number;
  /** By story id; what belongs to none is left out. */
  readonly perStory: Readonly<Record<string, number>>;
}

const MAX_ITEMS = 50;
const MAX_LENGTH = 300;

/**
 * Sums up what the documents of a feature say. Pure, tolerant of any text: what does not have the
 * form of Spec Kit's templates is not counted. At most 50 stories and assumptions, their texts in one
 * line, cut at 300 characters.
 *
 * @returns undefined without a `spec.md`
 */
export function summarize({
  featureDirectory,
  read,
}: Pick<PhaseOutput, "featureDirectory" | "read">): FeatureSummary | undefined {
  const spec = read(`${featureDirectory}/spec.md`);
  const plan = read(`${featureDirectory}/plan.md`);
  const tasks = read(`${featureDirectory}/tasks.md`);
  if (spec === undefined) {
    return undefined;
  }
  const lines = outsideFences(withoutComments(spec));
  const text = lines.join("\n");
  return {
    title: titleOf(lines),
    stories: storiesIn(lines),
    functionalRequirements: distinct(text, /\bFR-\d{3,6}\b/g),
    successCriteria: distinct(text, /\bSC-\d{3,6}\b/g),
    openQuestions: Math.min(text.match(/\[NEEDS CLARIFICATION/g)?.length ?? 0, 1_000),
    assumptions: itemsOf(lines, "Assumptions"),
    approach: plan === undefined ? null : firstParagraph(outsideFences(withoutComments(plan))),
    tasks: tasks === undefined ? null : countTasks(tasks),
  };
}

function titleOf(lines: readonly string[]): string | null {
  const line = lines.find((one) => one.startsWith("# ")) ?? "";
  return brief(line.slice("# ".length).replace(/^Feature Specification:\s*/, "")) || null;
}

function storiesIn(lines: readonly string[]): readonly StorySummary[] {
  const stories = new Map<string, StorySummary>();
  for (const line of lines) {
    const [, number, rest = ""] = /^### User Story (\d{1,9})\b(.*)$/.exec(line) ?? [];
    if (number !== undefined && stories.size < MAX_ITEMS) {
      const id = `US${number}`;
      const priority = /\(Priority:\s*(P\d{1,3})\)/.exec(rest)?.[1] ?? null;
      const title = brief(rest.replace(/\(Priority:[^)]*\)/, "").replace(/^\s*[-–—:]\s*/, ""));
      stories.set(id, stories.get(id) ?? { id, title, priority });
    }
  }
  return [...stories.values()];
}

/** Items of the lists below a heading of level two, continued lines included. */
function itemsOf(lines: readonly string[], heading: string): readonly string[] {
  const items: string[] = [];
  for (const line of sectionOf(lines, heading)) {
    const item = /^[-*]\s+(.*)$/.exec(line)?.[1];
    const last = items.at(-1);
    if (item !== undefined) {
      items.push(item);
    } else if (last !== undefined && /^\s+\S/.test(line)) {
      items[items.length - 1] = `${last} ${line.trim()}`;
    }
    if (items.length > MAX_ITEMS) {
      break;
    }
  }
  return items
    .slice(0, MAX_ITEMS)
    .map(brief)
    .filter((item) => item !== "");
}

function firstParagraph(lines: readonly string[]): string | null {
  const section = sectionOf(lines, "Summary").join("\n").trim();
  return brief(section.split(/\n\s*\n/)[0] ?? "") || null;
}

function sectionOf(lines: readonly string[], heading: string): readonly string[] {
  const start = lines.findIndex((line) => new RegExp(`^## ${heading}(?![A-Za-z0-9])`).test(line));
  const end = lines.findIndex((line, ix) => ix > start && /^##? /.test(line));
  return start === -1 ? [] : lines.slice(start + 1, end === -1 ? undefined : end);
}

function countTasks(content: string): TaskCounts {
  const tasks = allTasks(content);
  const perStory: Record<string, number> = {};
  for (const { story } of tasks) {
    if (story !== undefined) {
      perStory[story] = (perStory[story] ?? 0) + 1;
    }
  }
  return {
    total: tasks.length,
    parallel: tasks.filter(({ isParallel }) => isParallel).length,
    perStory,
  };
}

function distinct(text: string, pattern: RegExp): number {
  return new Set(text.match(pattern)).size;
}

function withoutComments(text: string): string {
  return text.replace(/<!--[\s\S]*?-->/g, "");
}

/** One line of printable text. */
function brief(text: string): string {
  const line = text
    .slice(0, MAX_LENGTH * 4)
    .replace(/[\p{C}\s]+/gu, " ")
    .replace(/\*\*/g, "")
    .trim();
  return line.length > MAX_LENGTH ? `${line.slice(0, MAX_LENGTH - 1).toWellFormed()}…` : line;
}

import { oneLine } from "../one-line.ts";
import type { Question } from "../questions.ts";
import { MAX_TEXT_LENGTH, type QuestionTable } from "./question-tables.ts";

type Unnumbered = Omit<Question, "id">;

/** The least part of the shorter text's words that two texts of one question have in common. */
const ALIKE = 0.6;

/**
 * Markers of the specification and question tables as one list: markers in their order, then tables
 * that no marker belongs to. A table belongs to the marker whose words it has, best pairs first;
 * what is left over belongs together by order, if it is the same number of both.
 */
export function matchQuestions(
  markers: readonly string[],
  tables: readonly QuestionTable[],
): readonly Unnumbered[] {
  const tableOf = new Map<number, QuestionTable>();
  const left = new Set(tables);
  const pairs = markers
    .flatMap((marker, ix) => tables.map((table) => ({ ix, table, score: scoreOf(marker, table) })))
    .filter(({ score }) => score >= ALIKE)
    .sort((a, b) => b.score - a.score);
  for (const { ix, table } of pairs) {
    if (!tableOf.has(ix) && left.delete(table)) {
      tableOf.set(ix, table);
    }
  }
  const alone = markers.map((_, ix) => ix).filter((ix) => !tableOf.has(ix));
  if (alone.length === left.size) {
    for (const [at, table] of [...left].entries()) {
      tableOf.set(alone[at] ?? 0, table);
      left.delete(table);
    }
  }
  return [
    ...markers.map((marker, ix) => together(marker, tableOf.get(ix))),
    ...[...left].map((table) => together(undefined, table)),
  ];
}

/** The question's own words count more than what it is about: one section may hold two markers. */
function scoreOf(marker: string, { text, topic, context }: QuestionTable): number {
  const words = wordsOf(marker);
  return Math.max(
    shared(words, wordsOf(text)),
    0.99 * shared(words, wordsOf(topic)),
    0.98 * shared(words, wordsOf(context)),
  );
}

function wordsOf(text: string): ReadonlySet<string> {
  return new Set(text.toLowerCase().match(/[\p{L}\p{N}]+/gu));
}

function shared(a: ReadonlySet<string>, b: ReadonlySet<string>): number {
  const common = [...a].filter((word) => b.has(word)).length;
  // A single word that is in both is no sign of one question.
  return common < 2 ? 0 : common / Math.min(a.size, b.size);
}

/** Nothing that was said is lost: a marker whose words the table has not is told as its context. */
function together(marker: string | undefined, table: QuestionTable | undefined): Unnumbered {
  if (table === undefined) {
    return { text: marker ?? "" };
  }
  const told = wordsOf(`${table.text} ${table.context}`);
  const isTold = marker === undefined || [...wordsOf(marker)].every((word) => told.has(word));
  const context = oneLine([table.context, isTold ? "" : marker].join(" "), MAX_TEXT_LENGTH);
  return {
    text: table.text,
    ...(context === "" ? {} : { context }),
    ...(table.options.length === 0 ? {} : { options: table.options }),
  };
}

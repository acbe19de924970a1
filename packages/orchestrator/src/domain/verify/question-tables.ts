import { oneLine } from "../one-line.ts";
import type { QuestionOption } from "../questions.ts";

/** A question as an agent puts it to people in what it says last. */
export interface QuestionTable {
  readonly text: string;
  readonly topic: string;
  readonly context: string;
  readonly options: readonly QuestionOption[];
}

const MAX_TABLES = 20;
const MAX_OPTIONS = 10;
export const MAX_TEXT_LENGTH = 500;
const MAX_OPTION_LENGTH = 300;

type Field = "context" | "text" | "options" | "other";

/** Names of a question's parts, as they begin a line. */
const PARTS: readonly (readonly [string, Field])[] = [
  ["what we need to know", "text"],
  ["suggested answers", "options"],
  ["your choice", "other"],
  ["context", "context"],
  ["question", "text"],
  ["answers", "options"],
  ["options", "options"],
];

interface Draft {
  readonly topic: string;
  text: string;
  context: string;
  readonly options: QuestionOption[];
  /** Columns of key, answer and implications. */
  columns: readonly [number, number, number];
  field: Field;
}

/**
 * The questions in an agent's last message: sections that begin with a heading `Question 1: <topic>`
 * and have a context, what is to be known, and a table of suggested answers (option, answer,
 * implications), in this order or another, each part as far as it is there. A section without a
 * question is none. Texts in one line; at most 20 questions of 10 options each.
 */
export function questionTables(message: string): readonly QuestionTable[] {
  const tables: QuestionTable[] = [];
  let draft: Draft | undefined;
  const close = (): void => {
    const table = draft === undefined ? undefined : finished(draft);
    if (table !== undefined) {
      tables.push(table);
    }
    draft = undefined;
  };
  for (const raw of message.split(/\r\n|\r|\n/)) {
    if (tables.length === MAX_TABLES) {
      return tables;
    }
    const line = plain(raw);
    const topic = topicOf(raw, line);
    if (topic !== undefined) {
      close();
      draft = { topic, text: "", context: "", options: [], columns: [0, 1, 2], field: "other" };
    } else if (draft !== undefined && !readPart(draft, line)) {
      if (/^\s*#/.test(raw)) {
        close();
      } else {
        readText(draft, line);
      }
    }
  }
  close();
  return tables;
}

/** A line without quotation, list and heading marks at its beginning, and without emphasis. */
function plain(raw: string): string {
  return raw
    .slice(0, 4_000)
    .replace(/\*\*|__/g, "")
    .replace(/^[\s>#*-]+/, "")
    .trim();
}

/** The topic of the heading that a line is, undefined when it is none. */
function topicOf(raw: string, line: string): string | undefined {
  return /^[\s>]*(?:#|\*\*|__)/.test(raw)
    ? /^question(?:\s*\[?\d{1,3}\]?\s*(?:[:.)–—-]\s*(.*))?|\s*:\s*)$/i
        .exec(line)
        ?.map((part) => part ?? "")[1]
    : undefined;
}

/** @returns false when the line does not begin a part */
function readPart(draft: Draft, line: string): boolean {
  const lower = line.toLowerCase();
  for (const [name, field] of PARTS) {
    const rest = lower.startsWith(name) ? line.slice(name.length).trimStart() : undefined;
    if (rest === "" || rest?.startsWith(":") === true) {
      draft.field = field;
      readText(draft, rest.slice(1).trim());
      return true;
    }
  }
  return false;
}

function readText(draft: Draft, line: string): void {
  if (line === "" || line.startsWith("```")) {
    return;
  }
  if (line.startsWith("|")) {
    readRow(draft, cellsOf(line));
    return;
  }
  switch (draft.field) {
    case "text":
    case "context":
      if (draft[draft.field].length < MAX_TEXT_LENGTH) {
        draft[draft.field] = `${draft[draft.field]} ${line}`;
      }
      return;
    case "options": {
      const [, key, text] = /^\(?([A-Z])[):.]\s+(.+)$/i.exec(line) ?? [];
      if (key !== undefined && text !== undefined) {
        addOption(draft, key, text, "");
      }
      return;
    }
    case "other":
      return;
  }
}

function cellsOf(line: string): readonly string[] {
  const cells = line.split(/(?<!\\)\|/).map((cell) => cell.replaceAll("\\|", "|").trim());
  return cells.slice(1, line.endsWith("|") ? -1 : undefined);
}

function readRow(draft: Draft, cells: readonly string[]): void {
  const names = cells.map((cell) => cell.toLowerCase());
  const find = (...wanted: readonly string[]): number =>
    names.findIndex((name) => wanted.some((one) => name.startsWith(one)));
  if (["option", "key", "choice"].includes(names[0] ?? "")) {
    const [answer, implications] = [find("answer", "description", "text"), find("implication")];
    draft.columns = [0, answer === -1 ? 1 : answer, implications === -1 ? 2 : implications];
    return;
  }
  const [key, text, implications] = draft.columns.map((column) => cells[column] ?? "");
  addOption(draft, key ?? "", text ?? "", implications ?? "");
}

/** Rows without a short key are none: rules of the table, and the one that offers an own answer. */
function addOption(draft: Draft, name: string, said: string, meaning: string): void {
  const key = name
    .replace(/[`()[\].:]/g, "")
    .trim()
    .toUpperCase();
  const text = oneLine(said, MAX_OPTION_LENGTH);
  const isNew = draft.options.every((option) => option.key !== key);
  if (/^[A-Z0-9]{1,2}$/.test(key) && text !== "" && isNew && draft.options.length < MAX_OPTIONS) {
    const implications = oneLine(meaning, MAX_OPTION_LENGTH);
    draft.options.push({ key, text, ...(implications === "" ? {} : { implications }) });
  }
}

function finished({ topic, text, context, options }: Draft): QuestionTable | undefined {
  const [said, about] = [withoutMarker(text), withoutMarker(topic)];
  const wanted = said === "" ? about : said;
  return wanted === ""
    ? undefined
    : { text: wanted, topic: about, context: withoutMarker(context), options };
}

/** A part may quote the specification's marker: what stands in it counts. */
function withoutMarker(text: string): string {
  return oneLine(text.replace(/\[NEEDS CLARIFICATION:?([^\]]{0,2000})\]?/g, "$1"), MAX_TEXT_LENGTH);
}

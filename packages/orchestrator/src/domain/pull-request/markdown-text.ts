import { oneLine } from "../one-line.ts";
import { defuse, inPieces } from "./defuse.ts";
import { showHidden } from "./show-hidden.ts";

/** Longest text in a line of ours. */
const MAX_LENGTH = 300;

/** More back quotes than these are parted, or a text of nothing else would need a fence of its length. */
const MAX_QUOTES = 32;

/** Text of others within a line of Markdown: it reads as it was written, and means nothing. */
export function inlineText(text: string): string {
  return defuse(lineOf(text))
    .replace(/[\\`*_[\]~|]/g, "\\$&")
    .replace(/&/g, "&amp;")
    .replace(/</g, "&lt;")
    .replace(/>/g, "&gt;")
    .replace(/\$/g, "&dollar;")
    .replace(/^[-+=#]/, "\\$&")
    .replace(/^(\d+)([.)])/, "$1\\$2");
}

/** Text of others as code within a line. */
export function inlineCode(text: string): string {
  return codeSpan(defuse(lineOf(text)));
}

/** A value of ours as code within a line, exactly as it is: to be copied. */
export function codeSpan(text: string): string {
  const content = shortRuns(text);
  const fence = "`".repeat(longestRun(content) + 1);
  const space = /^[` ]|[` ]$/.test(content) ? " " : "";
  return content.trim() === "" ? "–" : `${fence}${space}${content}${space}${fence}`;
}

/** Lines of others as a block of code, which only its own fence ends. */
export function codeBlock(text: string, language: "sh" | "text"): string {
  const content = shortRuns(text);
  const fence = "`".repeat(Math.max(3, longestRun(content) + 1));
  return `${fence}${language}\n${content}\n${fence}`;
}

/** A part that is closed until somebody opens it. `title` is Markdown of ours without markup. */
export function folded(title: string, content: string): string {
  return `<details>\n<summary>${title}</summary>\n\n${content}\n\n</details>`;
}

/** One line of a text, its hidden characters shown: `oneLine` would leave them out. */
function lineOf(text: string): string {
  return oneLine(showHidden(text.slice(0, MAX_LENGTH * 2)), MAX_LENGTH);
}

function shortRuns(text: string): string {
  return text.replace(/`{33,}/g, (run) => inPieces(run, MAX_QUOTES));
}

function longestRun(text: string): number {
  return Math.max(0, ...(text.match(/`+/g) ?? []).map((run) => run.length));
}

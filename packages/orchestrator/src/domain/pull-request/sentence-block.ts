import { byteLength } from "./byte-length.ts";
import { defuse } from "./defuse.ts";
import { codeBlock, folded } from "./markdown-text.ts";

const SHORT_CHARACTERS = 600;
const SHORT_LINES = 10;
const MAX_BYTES = 20_000;

/**
 * The sentence as it was asked, in a block of code. A long one is shown in part and folds; of a very
 * long one the end is left out, and how much of it is said.
 */
export function sentenceBlock(sentence: string): string {
  const text = sentence.toWellFormed().replace(/\r\n?/g, "\n").trim();
  const start = text.split("\n").slice(0, SHORT_LINES).join("\n").slice(0, SHORT_CHARACTERS);
  if (start === text) {
    return codeBlock(defuse(text), "text");
  }
  const { excerpt, left } = cut(text);
  const note = left === 0 ? "" : `\n\n${figure(left)} more characters are left out here.`;
  return [
    codeBlock(`${defuse(start.toWellFormed())}…`, "text"),
    folded(
      `The sentence goes on (${figure(text.length)} characters)`,
      `${codeBlock(excerpt, "text")}${note}`,
    ),
  ].join("\n\n");
}

/** As much of a text as is within the limit when it is defused; halved until it is. */
function cut(text: string): { readonly excerpt: string; readonly left: number } {
  for (let length = Math.min(text.length, MAX_BYTES); ; length = Math.floor(length / 2)) {
    const excerpt = defuse(text.slice(0, length));
    if (byteLength(excerpt) <= MAX_BYTES) {
      return { excerpt, left: text.length - length };
    }
  }
}

function figure(value: number): string {
  return value.toLocaleString("en-US");
}

import { showHidden } from "./show-hidden.ts";

/** U+200B: nobody sees it, and no host takes what it parts for a name or a number. */
const BREAK = "\u200B";

/** A host links 7 digits of a commit and more. */
const LONGEST_HEX = 6;

/**
 * Text of others in which nothing calls anybody: no mention, no reference to an issue (so that no
 * `fixes` closes one), no address, no commit, no command to a bot or to a continuous integration, no
 * comment that could pass for ours. A zero-width space parts each, hidden characters show.
 *
 * Marks of code alone would not do: the text of a pull request also becomes the message of a squash
 * commit and an e-mail, where they mean nothing.
 */
export function defuse(text: string): string {
  return partCalls(showHidden(text)).replace(/[0-9a-f]{7,}/gi, (hex) => inPieces(hex, LONGEST_HEX));
}

/** Whether a text is safe as it is. Digits of a commit are: a link to one tells nobody. */
export function callsNobody(text: string): boolean {
  return partCalls(showHidden(text)) === text;
}

/** A text with a break after every `length` characters. */
export function inPieces(text: string, length: number): string {
  return (text.match(new RegExp(`[\\s\\S]{1,${length}}`, "g")) ?? []).join(BREAK);
}

function partCalls(text: string): string {
  return text
    .replace(/[@#]/g, `$&${BREAK}`)
    .replace(/GH-(?=\d)/gi, `$&${BREAK}`)
    .replace(/:(?=\/\/)/g, `$&${BREAK}`)
    .replace(/www(?=\.)/gi, `$&${BREAK}`)
    .replace(/<(?=!--)/g, `$&${BREAK}`)
    .replace(/\[(?=(?:skip|ci|no|actions)\b)/gi, `$&${BREAK}`)
    .replace(/^([^\S\n]*\/)(?=[a-z])/gim, `$1${BREAK}`);
}

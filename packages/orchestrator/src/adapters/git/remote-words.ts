import { oneLine } from "../../domain/one-line.ts";

const SHOWN_MAX_LENGTH = 500;

/** `remote: ` is git's; GitHub's ssh server begins its own lines with `ERROR: `. */
const SAID = /^(?:remote: ?|ERROR: )(.*)$/;
/** What a server is doing is not what it says. */
const PROGRESS =
  /^(?:Enumerating|Counting|Compressing|Writing|Resolving|Checking|Processing|Unpacking|Receiving)\b.*(?:%|done)|^[\s=—–\-*]*$/;

/** The lines a remote has printed, without its progress; what git says itself is not among them. */
export function remoteWords(stderr: string): string {
  return stderr
    .split(/[\r\n]+/)
    .map((line) => SAID.exec(line)?.[1]?.trim())
    .filter((line): line is string => line !== undefined && !PROGRESS.test(line))
    .join("\n");
}

/**
 * The first of a remote's words as the end of a message, since they say what to do; empty when it has
 * said nothing. One printable line of at most 500 characters.
 */
export function shownWords(words: string): string {
  const shown = oneLine(words, SHOWN_MAX_LENGTH);
  return shown === "" ? "" : `; it says: ${shown}`;
}

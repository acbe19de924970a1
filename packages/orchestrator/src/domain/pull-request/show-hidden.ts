/** Control characters, those that turn the direction of a text, and all others nobody sees. */
const HIDDEN = /[\p{Cc}\p{Cf}\p{Co}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]/gu;

/** They join letters and emoji, and choose how one looks: text of many languages needs them. */
const JOINERS = ["\u200C", "\u200D", "\uFE0E", "\uFE0F"];

/**
 * A text in which everything shows: what has no form of its own becomes `⟨U+202E⟩`. Line ends are `\n`
 * then, tabs stay, and so do joiners behind a character that is not ASCII.
 */
export function showHidden(text: string): string {
  const lines = text.toWellFormed().replace(/\r\n?/g, "\n");
  return lines.replace(HIDDEN, (character, at: number) => {
    if (character === "\n" || character === "\t") {
      return character;
    }
    if (JOINERS.includes(character) && (lines.charCodeAt(at - 1) || 0) > 0x7f) {
      return character;
    }
    const code = (character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, "0");
    return `⟨U+${code}⟩`;
  });
}

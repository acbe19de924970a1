/**
 * Text of others as one printable line: control characters and line ends become spaces, a longer
 * text is cut and ends in `…`. Never longer than `maxLength` UTF-16 units, never half a character.
 */
export function oneLine(text: string, maxLength: number): string {
  const line = text
    .slice(0, maxLength * 2)
    .replace(/[\p{C}\s]+/gu, " ")
    .trim();
  return line.length > maxLength ? `${line.slice(0, maxLength - 1).toWellFormed()}…` : line;
}

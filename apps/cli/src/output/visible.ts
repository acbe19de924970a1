/**
 * Text of others as a terminal may show it: what steers it or the reader's eye (control characters,
 * direction marks) is written out as `\\u{…}`; line ends and tabs stay.
 */
export function visible(text: string): string {
  return text.replace(
    /(?![\n\t])[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu,
    (hidden) => `\\u{${hidden.codePointAt(0)?.toString(16)}}`,
  );
}

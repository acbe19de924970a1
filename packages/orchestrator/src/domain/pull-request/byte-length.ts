/**
 * Length of a text in UTF-8 with its line ends as two bytes, as a form sends them: never less than
 * what a host may count (characters, UTF-16 units or bytes).
 */
export function byteLength(text: string): number {
  const lineEnds = text.split("\n").length - 1;
  return new TextEncoder().encode(text).length + lineEnds;
}

/** The lines of the most items that fit into `maxBytes` together, and how many items are left. */
export function whatFits<Item>(
  items: readonly Item[],
  lineOf: (item: Item) => string,
  maxBytes: number,
): { readonly lines: readonly string[]; readonly left: number } {
  const lines: string[] = [];
  let bytes = 0;
  for (const item of items) {
    const line = lineOf(item);
    bytes += byteLength(`${line}\n`);
    if (bytes > maxBytes) {
      break;
    }
    lines.push(line);
  }
  return { lines, left: items.length - lines.length };
}

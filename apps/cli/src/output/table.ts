/** Rows in columns: the first to the left, the others, numbers, to the right. */
export function tableLines(
  head: readonly string[],
  rows: readonly (readonly string[])[],
): readonly string[] {
  const widths = head.map((name, ix) =>
    Math.max(name.length, ...rows.map((row) => row[ix]?.length ?? 0)),
  );
  return [head, ...rows].map((row) =>
    row
      .map((cell, ix) => (ix === 0 ? cell.padEnd(widths[ix] ?? 0) : cell.padStart(widths[ix] ?? 0)))
      .join("  ")
      .trimEnd(),
  );
}

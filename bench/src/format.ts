/** A number for people: three digits that mean something. */
export function three(value: number): string {
  return value >= 100 ? value.toFixed(0) : value >= 10 ? value.toFixed(1) : value.toFixed(2);
}

export function ratio(value: number, base: number): string {
  return `${(value / base).toFixed(1)} x`;
}

export function megabytes(bytes: number): string {
  return `${(bytes / 1_000_000).toFixed(0)} MB`;
}

/** A table in Markdown, with its columns in line. */
export function markdownTable(
  heads: readonly string[],
  rows: readonly (readonly string[])[],
): string {
  const widths = heads.map((head, ix) =>
    Math.max(head.length, ...rows.map((row) => row[ix]?.length ?? 0)),
  );
  const line = (cells: readonly string[]): string =>
    `| ${widths
      .map((width, ix) =>
        ix === 0 ? (cells[ix] ?? "").padEnd(width) : (cells[ix] ?? "").padStart(width),
      )
      .join(" | ")} |`;
  const rule = `| ${widths.map((width, ix) => (ix === 0 ? "-".repeat(width) : `${"-".repeat(width - 1)}:`)).join(" | ")} |`;
  return [line(heads), rule, ...rows.map(line)].join("\n");
}

const EIGHTHS = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"] as const;

/**
 * A part of a whole as a bar of at most `width` characters: blocks where a terminal shows them, else
 * plain number signs. What is more than nothing shows.
 */
export function bar(part: number, whole: number, width: number, hasBlocks: boolean): string {
  const filled = whole <= 0 ? 0 : Math.min(1, part / whole) * width;
  if (!hasBlocks) {
    return "#".repeat(part > 0 ? Math.max(1, Math.round(filled)) : 0);
  }
  const eighths = part > 0 ? Math.max(1, Math.round(filled * 8)) : 0;
  return "█".repeat(Math.floor(eighths / 8)) + (EIGHTHS[eighths % 8] ?? "");
}

/**
 * JSON text that jsonb takes: PostgreSQL has no NUL in text and no lone surrogates, agents print
 * both. They are replaced by U+FFFD, in names too: a run must not fail for what an agent says.
 */
export function jsonText(value: unknown): string {
  return JSON.stringify(value, (_key, item: unknown) => {
    if (typeof item === "string") {
      return storable(item);
    }
    return typeof item === "object" && item !== null && !Array.isArray(item)
      ? Object.fromEntries(Object.entries(item).map(([name, part]) => [storable(name), part]))
      : item;
  });
}

function storable(text: string): string {
  return text.replaceAll("\u0000", "\uFFFD").toWellFormed();
}

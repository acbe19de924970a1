const TRAILER = /^[A-Za-z0-9-]+: \S/;

/**
 * A commit message with more trailers, in the block it ends with if it has one (git-interpret-trailers).
 *
 * @param trailers `Key: value` each
 */
export function withTrailers(message: string, trailers: readonly string[]): string {
  if (trailers.length === 0) {
    return message;
  }
  const text = message.trimEnd();
  const last = text.split(/\n\n+/).slice(1).at(-1)?.split("\n") ?? [];
  const isBlock = last.length > 0 && last.every((line) => TRAILER.test(line));
  return `${text}${isBlock ? "\n" : "\n\n"}${trailers.join("\n")}\n`;
}

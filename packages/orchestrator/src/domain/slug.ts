/** Longest slug in a branch or feature directory. */
export const SLUG_MAX_LENGTH = 40;

/**
 * A sentence as lower-case ASCII words joined by `-`, at most 40 characters, cut between words where
 * one ends early enough. A sentence without any such word (only symbols, or a script that has no
 * ASCII form) gives `run`.
 */
export function slugOf(sentence: string): string {
  const words = sentence
    .normalize("NFKD")
    .replace(/\p{Mark}/gu, "")
    .toLowerCase()
    .match(/[a-z0-9]+/g);
  if (words === null) {
    return "run";
  }
  let slug = words[0]?.slice(0, SLUG_MAX_LENGTH) ?? "";
  for (const word of words.slice(1)) {
    if (slug.length + 1 + word.length > SLUG_MAX_LENGTH) {
      break;
    }
    slug += `-${word}`;
  }
  return slug;
}

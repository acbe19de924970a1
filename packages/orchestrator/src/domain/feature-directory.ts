import { slugOf } from "./slug.ts";

/** Spec Kit's own names: three or more digits, or a time stamp, and a short name. */
const FEATURE_DIRECTORY = /^specs\/(?:\d{3,}|\d{8}-\d{6})-[a-z0-9][a-z0-9-]*$/;
const MAX_LENGTH = 120;

export function isFeatureDirectory(text: string): boolean {
  return text.length <= MAX_LENGTH && FEATURE_DIRECTORY.test(text);
}

export function featureDirectoryFor(number: number, sentence: string): string {
  return `specs/${String(number).padStart(3, "0")}-${slugOf(sentence)}`;
}

/** The name of a project that numbers its features by time. */
export function featureDirectoryAt(time: Date, sentence: string): string {
  const digits = time.toISOString().replace(/\D/g, "");
  return `specs/${digits.slice(0, 8)}-${digits.slice(8, 14)}-${slugOf(sentence)}`;
}

/**
 * The highest feature number among the names found below `specs/`, 0 when there is none. Names by
 * time stamp are not numbers.
 */
export function highestFeatureNumber(names: readonly string[]): number {
  let highest = 0;
  for (const name of names) {
    const digits = /^(\d{3,7})-/.exec(name)?.[1];
    if (digits !== undefined) {
      highest = Math.max(highest, Number(digits));
    }
  }
  return highest;
}

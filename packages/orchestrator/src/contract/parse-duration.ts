const UNITS_MS = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;
const LONGEST_MS = 400 * UNITS_MS.d;

/** What is expected of a duration, for whoever refuses one. */
export const DURATION_FORM = "a number with s, m, h or d, as 20m or 7d, at most 400d";

/**
 * A duration as people write it: `90s`, `20m`, `12h`, `7d`, also `1.5h`.
 *
 * @returns milliseconds, undefined for what is none: see {@link DURATION_FORM}
 */
export function parseDuration(text: string): number | undefined {
  const [, number = "", unit = ""] = /^(\d{1,9}(?:\.\d{1,3})?)([smhd])$/.exec(text) ?? [];
  const ms = Math.round(Number(number) * UNITS_MS[unit as keyof typeof UNITS_MS]);
  return ms >= 1 && ms <= LONGEST_MS ? ms : undefined;
}

import type { CheckName } from "../../ports/checks.ts";
import { type Diagnosis, problem, problemOf } from "../../ports/diagnosis.ts";

const WITHIN_MS = 60_000;

/**
 * What a look finds; never rejects, and takes no longer than `withinMs`, by default a minute: one that does is a finding itself.
 *
 * @param check tells of it
 */
export async function lookWithin(
  check: CheckName,
  look: () => Promise<readonly Diagnosis[]>,
  withinMs = WITHIN_MS,
): Promise<readonly Diagnosis[]> {
  const late = Promise.withResolvers<readonly Diagnosis[]>();
  const timer = setTimeout(
    () => late.resolve([problem(check, `no answer within ${withinMs / 1_000} s`)]),
    withinMs,
  );
  try {
    return await Promise.race([look(), late.promise]);
  } catch (error) {
    return [problemOf(check, error)];
  } finally {
    clearTimeout(timer);
  }
}

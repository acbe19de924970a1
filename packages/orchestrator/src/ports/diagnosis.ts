import { failureOf } from "../domain/speckit-error.ts";
import { CHECKS, type CheckName } from "./checks.ts";

/** Worst first; `skipped`: it could not be looked at, since something else that it needs is away. */
export const DIAGNOSIS_STATES = ["problem", "warning", "ok", "skipped"] as const;
export type DiagnosisState = (typeof DIAGNOSIS_STATES)[number];

/** One thing that was looked at, and how it stands. */
export interface Diagnosis {
  /** Stable; {@link CHECKS} says what is looked at. */
  readonly check: CheckName;
  readonly state: DiagnosisState;
  /** One line for people: what was found. */
  readonly found: string;
  /** What to do about it, where it is not fine. */
  readonly remedy?: string;
}

/** What a backend can use to look at itself. */
export interface DiagnosisTools {
  /**
   * What a short command prints where agents run; see `JobRuntime.outputOf`. Left out where that is in
   * containers: their image is looked at by itself.
   */
  readonly outputOf?: (argv: readonly [string, ...string[]]) => Promise<string | undefined>;
  /**
   * HTTP status of a harmless call to the provider through a gateway; null: no answer. Left out where
   * this process has no key to ask with.
   */
  readonly askProvider?: () => Promise<number | null>;
}

export function fine(check: CheckName, found: string): Diagnosis {
  return { check, state: "ok", found };
}

/** @param remedy default the catalogue's */
export function warning(check: CheckName, found: string, remedy?: string): Diagnosis {
  return { check, state: "warning", found, remedy: remedy ?? CHECKS[check].remedy };
}

/** @param remedy default the catalogue's */
export function problem(check: CheckName, found: string, remedy?: string): Diagnosis {
  return { check, state: "problem", found, remedy: remedy ?? CHECKS[check].remedy };
}

export function notLookedAt(check: CheckName, why: string, remedy?: string): Diagnosis {
  const found = `not looked at: ${why}`;
  return { check, state: "skipped", found, ...(remedy === undefined ? {} : { remedy }) };
}

/** A failure that says itself what to do; one that nobody has named yet gets the check's own remedy. */
export function problemOf(check: CheckName, error: unknown): Diagnosis {
  const { code, message, remedy } = failureOf(error);
  return problem(check, message, code === "INTERNAL_ERROR" ? undefined : remedy);
}

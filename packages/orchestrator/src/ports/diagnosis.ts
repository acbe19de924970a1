/** One thing that was looked at, and how it stands. */
export interface Diagnosis {
  /** Stable, for example `codex.sandbox`. */
  readonly check: string;
  readonly state: "ok" | "warning" | "problem";
  /** One line for people: what was found. */
  readonly found: string;
  /** What to do about it, where it is not fine. */
  readonly remedy?: string;
}

/** What a backend can use to look at itself. */
export interface DiagnosisTools {
  /** What a short command prints where agents run; see `JobRuntime.outputOf`. */
  readonly outputOf: (argv: readonly [string, ...string[]]) => Promise<string | undefined>;
  /** HTTP status of a harmless call to the provider through the gateway; null: no answer. */
  readonly askProvider: () => Promise<number | null>;
}

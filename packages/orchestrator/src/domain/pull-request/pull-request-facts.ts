/** What the text of a pull request is made of: facts of the run that were verified, and texts of others. */
export interface PullRequestFacts {
  readonly runId: string;
  /** The sentence, as it was asked. */
  readonly specifyText: string;
  /** `owner/name`, or the address. */
  readonly repository: string;
  readonly branch: string;
  readonly baseBranch: string;
  readonly baseSha: string;
  readonly headSha: string;
  /** From the repository's root; null before there is one. */
  readonly featureDirectory: string | null;
  /** What the feature's documents say; null without a `spec.md`. */
  readonly summary: SummaryFacts | null;
  /** Texts of the questions that are still open. */
  readonly openQuestions: readonly string[];
  /** What nobody has said and the specification takes for granted. */
  readonly assumptions: readonly string[];
  /** The document of each phase, to be read in this order. */
  readonly phaseFiles: readonly { readonly phase: string; readonly path: string }[];
  readonly changedFiles: readonly ChangedFile[];
  /** Base to head. */
  readonly diff: {
    readonly files: number;
    readonly insertions: number;
    readonly deletions: number;
  };
  /** `model` null: the backend's default, not named. */
  readonly agent: { readonly backend: string; readonly model: string | null };
  /** null: nothing is known. */
  readonly usage: UsageFacts | null;
  readonly phases: readonly PhaseFacts[];
}

export interface SummaryFacts {
  readonly title: string | null;
  readonly stories: readonly {
    readonly id: string;
    readonly title: string;
    readonly priority: string | null;
  }[];
  readonly functionalRequirements: number;
  readonly successCriteria: number;
  /** How many the documents mark, also those whose text is not known. */
  readonly openQuestions: number;
  readonly approach: string | null;
  /** null before there is a `tasks.md`. */
  readonly tasks: {
    readonly total: number;
    readonly parallel: number;
    /** By story id. */
    readonly perStory: Readonly<Record<string, number>>;
  } | null;
}

export interface ChangedFile {
  readonly path: string;
  readonly kind: "added" | "changed" | "removed";
}

export interface UsageFacts {
  readonly inputTokens: number;
  readonly cachedInputTokens: number;
  readonly outputTokens: number;
  /** null: not known. */
  readonly costUsd: number | null;
}

export interface PhaseFacts {
  readonly name: string;
  readonly status: string;
  /** null: never started, or not ended. */
  readonly durationMs: number | null;
  /** Ordinal of its newest start, 0: never started. */
  readonly attempt: number;
}

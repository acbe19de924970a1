import type { FailureClass } from "../failure.ts";

export interface ErrorCodeFacts {
  readonly class: FailureClass;
  /** When it happens, for the documented table. */
  readonly meaning: string;
  /** What a person should do, unless the place that raises it knows better. */
  readonly remedy: string;
}

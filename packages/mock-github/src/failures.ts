/** What goes wrong with a call, on demand. */
export type MockFailure =
  /** An error of the server's own. */
  | { readonly kind: "status"; readonly status: 500 | 502 | 503 }
  /** `retry-after` and GitHub's words for it. */
  | { readonly kind: "secondary-limit"; readonly seconds: number }
  /** `x-ratelimit-remaining: 0` and when that ends. */
  | {
      readonly kind: "primary-limit";
      readonly resetsInSeconds: number;
      readonly status?: 403 | 429;
    }
  /** The connection ends before the call is carried out, or after it, without an answer. */
  | { readonly kind: "cut"; readonly when: "before" | "after" }
  /** Nothing is answered until the test is over. */
  | { readonly kind: "silence" };

export interface PlannedFailure {
  /** `POST /repos/{owner}/{repo}/pulls`, undefined: every call. */
  readonly route: string | undefined;
  readonly failure: MockFailure;
  /** How many calls it still is for. */
  left: number;
}

/** The first plan for this call, used up by one. */
export function takeFailure(plans: PlannedFailure[], route: string): MockFailure | undefined {
  const plan = plans.find(
    (planned) => planned.left > 0 && (planned.route === undefined || planned.route === route),
  );
  if (plan === undefined) {
    return undefined;
  }
  plan.left -= 1;
  return plan.failure;
}

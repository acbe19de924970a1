import type { Explanation } from "../../contract/explanation.ts";
import { FAILURE_CLASSES } from "../../domain/failure.ts";
import { MAX_STARTS_PER_PHASE, RETRY_BUDGET, retriesOf } from "../../domain/retry-policy.ts";
import type { RunFacts } from "./run-facts.ts";

/** What is left for the phase that runs or is next; undefined when the run has ended. */
export function budgetOf({
  run,
  attempts,
}: Pick<RunFacts, "run" | "attempts">): Explanation["budget"] {
  const phase = run.pipeline[run.phaseIx];
  if (run.outcome !== null || phase === undefined) {
    return undefined;
  }
  const here = attempts.filter((row) => row.phase === phase && row.attempt > 0);
  return {
    startsLeft: Math.max(0, MAX_STARTS_PER_PHASE - here.length),
    retries: FAILURE_CLASSES.filter((name) => RETRY_BUDGET[name] !== undefined).map((name) => {
      const granted = retriesOf(phase, name);
      const spent = here.filter(({ failure }) => failure?.class === name).length;
      return { class: name, granted, left: Math.max(0, granted - spent) };
    }),
  };
}
